use std::{
    collections::{HashSet, VecDeque},
    fmt, slice,
};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Execution, Notification, Startup, Statement,
    channel::{Channel, Parts},
    flight::{Flight, Kind},
    log_in,
    session::Session,
};
use crate::{
    error::{DbError, Error, Outcome, Result},
    wire::{BackendKey, MAX_MESSAGE, TransactionStatus},
};

/// A session with a Postgres server over any byte stream.
///
/// A statement is one *flight*: parsed, bound, described, executed and synced in one write, so that it costs one round trip
/// even when it is new. Several may be queued and then travel together: see [`queue`](Self::queue).
///
/// # Example
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use pgferry::{
///     config::RequireAuth,
///     wire::{Client, Event, Startup, Statement},
/// };
///
/// let stream = tokio::net::TcpStream::connect("localhost:5432").await?;
/// let startup = Startup::new("app", "scram-sha-256".parse::<RequireAuth>()?).database("shop").password("secret");
/// let mut client = Client::connect(stream, &startup).await?;
///
/// let mut execution = client.execute(&Statement::new("select 1")).await?;
/// while let Some(event) = execution.next().await? {
///     if let Event::Row(row) = event {
///         assert_eq!(row.values().next(), Some(Some(&b"1"[..])));
///     }
/// }
/// client.close().await?;
/// # Ok(())
/// # }
/// ```
pub struct Client<S> {
    pub(super) channel: Channel<S>,
    pub(super) session: Session,
    /// What was queued or sent and is not yet answered, the oldest first.
    pub(super) flights: VecDeque<Flight>,
    /// How many flights were answered.
    pub(super) answered: u64,
    /// How many flights were given to an [`Execution`], answered or not.
    pub(super) claimed: u64,
    /// The named statements that the server has.
    pub(super) prepared: HashSet<Box<str>>,
    /// Messages that close statements, to travel with the next flight.
    pub(super) closing: BytesMut,
    pub(super) broken: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Opens a session: startup, authentication, and all up to the first `ReadyForQuery` (manual, section 55.2.1).
    ///
    /// Without a deadline of its own. Not cancel safe: the stream is lost.
    ///
    /// # Errors
    ///
    /// Nothing was executed.
    ///
    /// - [`Error::is_auth`] when the server refuses the log-in, asks for a method that [`Startup::require_auth`] does not
    ///   allow or for a password that there is none of.
    /// - [`Error::as_db_error`] when the server refuses the session for another reason, as an unknown database.
    /// - [`Error::is_closed`] when the connection ends.
    pub async fn connect(stream: S, startup: &Startup) -> Result<Self> {
        Self::connect_ahead(stream, startup, &[]).await
    }

    /// Opens a session as [`connect`](Self::connect) does, with the messages of a first flight right behind the password where that is
    /// [sent ahead](Startup::pipeline_password), else with the next flight: for a relay, which reads their answers from
    /// [`into_relay`](Self::into_relay)'s stream.
    ///
    /// Without a deadline of its own. Not cancel safe: the stream is lost.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect). Before the log-in is over a server executes nothing.
    pub(crate) async fn connect_ahead(stream: S, startup: &Startup, first_flight: &[u8]) -> Result<Self> {
        let mut channel = Channel::new(stream);
        let session = log_in::run(&mut channel, startup, first_flight)
            .await
            .map_err(|error| error.with_outcome(Outcome::NotExecuted))?;
        channel.set_max(MAX_MESSAGE);
        Ok(Self {
            channel,
            session,
            flights: VecDeque::new(),
            answered: 0,
            claimed: 0,
            prepared: HashSet::new(),
            closing: BytesMut::new(),
            broken: false,
        })
    }

    /// Bounds how long a single message from the server may be, in bytes. Defaults to Postgres's own bound of 1 GiB.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.channel.set_max(bytes);
    }

    /// Sends a statement in one flight; its results are read from what is returned.
    ///
    /// What an earlier [`Execution`] left unread is read first. Sent is what the stream takes at once; the rest goes out while
    /// the results are read, so that a large parameter and a server that talks meanwhile cannot block each other.
    ///
    /// Cancel safe: dropped before it returns, it has sent nothing of the statement.
    ///
    /// # Errors
    ///
    /// The statement was not executed: it cannot be sent (a NUL in its text, more than 65535 parameters, 1 GiB), or the
    /// connection turned out to be lost.
    pub async fn execute(&mut self, statement: &Statement<'_>) -> Result<Execution<'_, S>> {
        self.settle().await?;
        self.enqueue(slice::from_ref(statement))?;
        self.send_some().await;
        Ok(self.last_execution())
    }

    /// Sends any number of statements without parameters as one simple query, as psql does; results come as text.
    ///
    /// Several statements are one transaction unless they say otherwise (manual, section 55.2.2.1). Cancel safe as
    /// [`execute`](Self::execute) is.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute).
    pub async fn simple_query(&mut self, sql: &str) -> Result<Execution<'_, S>> {
        self.settle().await?;
        self.enqueue_simple_query(sql)?;
        self.send_some().await;
        Ok(self.last_execution())
    }

    /// Queues a statement's flight without waiting for those queued before it; [`next_execution`](Self::next_execution) then
    /// gives the results of each, in the same order.
    ///
    /// The queue is sent when the first results are asked for. Each flight is a transaction of its own unless BEGIN was among
    /// them. A flight after a failed one is executed nevertheless: inside a transaction block the server refuses it. **COPY
    /// FROM STDIN must not be queued with anything behind it**, since the server would take that for the data and end the
    /// session.
    ///
    /// Cancel safe: dropped before it returns, it has queued nothing.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute); what was queued before stays queued.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use pgferry::wire::{Client, Statement};
    /// # async fn run(client: &mut Client<tokio::net::TcpStream>) -> pgferry::Result<()> {
    /// for text in ["begin", "insert into t values (1)", "commit"] {
    ///     client.queue(&Statement::new(text)).await?;
    /// }
    /// // One round trip for all three.
    /// while let Some(mut execution) = client.next_execution() {
    ///     while let Some(event) = execution.next().await? {
    ///         println!("{event:?}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn queue(&mut self, statement: &Statement<'_>) -> Result<()> {
        self.settle().await?;
        self.enqueue(slice::from_ref(statement))
    }

    /// Queues several statements as one flight: where one fails, those behind it are not executed.
    ///
    /// Without BEGIN among them they are one transaction, but for what commits by itself (manual, section 55.2.3.1,
    /// "Pipelining"). [`next_execution`](Self::next_execution) gives their results one after the other, each ended by its
    /// [`Event::Complete`](crate::wire::Event::Complete) or [`Event::Empty`](crate::wire::Event::Empty). No COPY FROM STDIN may be
    /// among them, as for [`queue`](Self::queue). Cancel safe as that is.
    ///
    /// # Errors
    ///
    /// As for [`queue`](Self::queue); nothing of it was queued.
    pub async fn queue_together(&mut self, statements: &[Statement<'_>]) -> Result<()> {
        self.settle().await?;
        self.enqueue(statements)
    }

    /// Queues a simple query as [`queue`](Self::queue) does a statement. Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`queue`](Self::queue).
    pub async fn queue_simple_query(&mut self, sql: &str) -> Result<()> {
        self.settle().await?;
        self.enqueue_simple_query(sql)
    }

    /// Queues the question for a statement's columns, as [`queue`](Self::queue) does a statement: it is parsed, its parameters' types
    /// inferred, and nothing is executed.
    ///
    /// Its results are an [`Event::Columns`](crate::wire::Event::Columns), or nothing where the statement gives no rows. Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`queue`](Self::queue).
    pub async fn queue_describe(&mut self, text: &str) -> Result<()> {
        self.settle().await?;
        self.enqueue_describe(text)
    }

    /// Returns the results of the next queued flight, `None` when each has been given.
    pub fn next_execution(&mut self) -> Option<Execution<'_, S>> {
        if !self.has_next_execution() {
            return None;
        }
        let flight = self.claimed;
        self.claimed += 1;
        Some(Execution::new(self, flight))
    }

    /// Asks the server for a sign of life: a lone Sync, which touches no transaction.
    ///
    /// Without a deadline of its own. Cancel safe: the answer is then read by the next use.
    ///
    /// # Errors
    ///
    /// When the connection was lost; nothing was executed.
    pub async fn ping(&mut self) -> Result<()> {
        self.settle().await?;
        frontend::sync(self.channel.out());
        self.flights.push_back(Flight::new(Kind::Ping));
        self.claimed = self.queued();
        self.drain().await
    }

    /// Returns whether the session is there to be used and nothing contradicts that: it reads what has come while nobody waited, as
    /// the server's farewell or the end of the stream, without waiting for more.
    ///
    /// What an [`Execution`] left unread is read first, and waited for. Cancel safe.
    pub async fn is_quiet(&mut self) -> bool {
        self.settle().await.is_ok()
    }

    /// Ends the session: Terminate, then closes the stream.
    ///
    /// What is still unread is dropped. Without a deadline of its own. Not cancel safe: dropped early, the server sees a lost
    /// connection.
    ///
    /// # Errors
    ///
    /// When the connection was lost before.
    pub async fn close(mut self) -> Result<()> {
        self.terminate().await
    }

    /// Ends the session as [`close`](Self::close) does, and returns when the server has closed its side of the stream, by when it counts
    /// the session no longer.
    ///
    /// Without a deadline of its own. Not cancel safe: dropped early, the server sees a lost connection.
    ///
    /// # Errors
    ///
    /// When the connection was lost before.
    pub async fn close_completely(mut self) -> Result<()> {
        self.terminate().await?;
        self.channel.read_to_end().await;
        Ok(())
    }

    async fn terminate(&mut self) -> Result<()> {
        frontend::terminate(self.channel.out());
        self.channel.close().await.map_err(|error| {
            Error::closed("the connection was lost while it was being closed", Outcome::NotExecuted).with_source(error)
        })
    }
}

impl<S> Client<S> {
    /// Closes a named statement, with the next flight.
    pub fn close_statement(&mut self, name: &str) {
        self.prepared.remove(name);
        // A name that cannot be sent names no statement.
        let _ = frontend::close(b'S', name, &mut self.closing);
    }

    /// Returns whether the server has a statement of this name, as far as this client has seen it parsed; DISCARD and DEALLOCATE
    /// go unnoticed.
    #[must_use]
    pub fn is_prepared(&self, name: &str) -> bool {
        self.prepared.contains(name)
    }

    /// Returns the value of a parameter that the server reported, such as `server_version`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.session.parameters.get(name).map(String::as_str)
    }

    /// Returns the parameters that the server reported, with their current values.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.session.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns what a [`cancel`](crate::wire::cancel) of this session needs.
    #[must_use]
    pub fn backend_key(&self) -> Option<BackendKey> {
        self.session.key
    }

    /// Returns the transaction status of the last `ReadyForQuery` that was read.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        self.session.status
    }

    /// Returns whether the session can go on: false once the connection was lost or the protocol broken.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.broken
    }

    /// Returns whether [`next_execution`](Self::next_execution) would give one.
    #[must_use]
    pub fn has_next_execution(&self) -> bool {
        self.claimed < self.queued()
    }

    /// Returns whether the stream has taken all that was queued; what it has not goes out while results are waited for.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.channel.is_sent()
    }

    /// Takes the notices that came, the oldest first; of more than 256 the oldest were dropped.
    pub fn take_notices(&mut self) -> Vec<DbError> {
        self.session.notices.drain(..).collect()
    }

    /// Takes the notifications that came with the answers read so far, the oldest first; of more than 4096 the oldest were
    /// dropped.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        self.session.notifications.drain(..).collect()
    }

    /// Returns the stream and whatever was read of it and not yet used, for a relay that takes over.
    ///
    /// To be used between two flights: what was queued and not yet sent is dropped.
    #[must_use]
    pub fn into_parts(self) -> (S, BytesMut) {
        let Parts { stream, received, unsent: _ } = self.channel.into_parts();
        (stream, received)
    }

    /// Returns the stream, whatever was read of it and not yet used, and what is still to be sent.
    pub(crate) fn into_relay(self) -> Parts<S> {
        self.channel.into_parts()
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel: _, session, flights, answered: _, claimed: _, prepared, closing: _, broken } = self;
        f.debug_struct("Client")
            .field("session", session)
            .field("flights", &flights.len())
            .field("prepared", &prepared.len())
            .field("broken", broken)
            .finish_non_exhaustive()
    }
}
