//! The client: startup, statements in one flight each, cancellation.

mod cancel;
mod channel;
mod error_fields;
mod event;
mod execution;
mod flight;
mod log_in;
mod scram;
mod session;
mod startup;
mod statement;

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    future::poll_fn,
    task::Poll,
};

use bytes::BytesMut;
use postgres_protocol::message::{backend::Message, frontend};
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::{
    cancel::cancel,
    event::Event,
    execution::Execution,
    session::Notification,
    startup::Startup,
    statement::{Params, Parse, Statement},
};
use self::{
    channel::{Channel, Incoming},
    error_fields::is_fatal,
    flight::{Flight, Kind, Step},
    session::Session,
};
use super::{BackendKey, TransactionStatus};
use crate::error::{DbError, Error, Outcome, Result};

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
    channel: Channel<S>,
    session: Session,
    /// What was queued or sent and is not yet answered, the oldest first.
    flights: VecDeque<Flight>,
    /// How many flights were answered.
    answered: u64,
    /// How many flights were given to an [`Execution`], answered or not.
    claimed: u64,
    /// The named statements that the server has.
    prepared: HashSet<Box<str>>,
    /// Messages that close statements, to travel with the next flight.
    closing: BytesMut,
    broken: bool,
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
        let mut channel = Channel::new(stream);
        let session =
            log_in::run(&mut channel, startup).await.map_err(|error| error.with_outcome(Outcome::NotExecuted))?;
        channel.set_max(super::MAX_MESSAGE);
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
        self.enqueue(statement)?;
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
        self.enqueue(statement)
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

    /// Returns the results of the next queued flight, `None` when each has been given.
    pub fn next_execution(&mut self) -> Option<Execution<'_, S>> {
        if self.claimed >= self.queued() {
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

    /// Ends the session: Terminate, then closes the stream.
    ///
    /// What is still unread is dropped. Without a deadline of its own. Not cancel safe: dropped early, the server sees a lost
    /// connection.
    ///
    /// # Errors
    ///
    /// When the connection was lost before.
    pub async fn close(mut self) -> Result<()> {
        frontend::terminate(self.channel.out());
        self.channel.close().await.map_err(|error| {
            Error::closed("the connection was lost while it was being closed", Outcome::NotExecuted).with_source(error)
        })
    }

    /// Reads whatever was given to an execution and left unread, and notices a connection that was lost while idle, so that
    /// what comes next is known not to have been executed.
    async fn settle(&mut self) -> Result<()> {
        self.drain().await.map_err(|error| error.with_outcome(Outcome::NotExecuted))?;
        if self.flights.is_empty() {
            self.peek().await.map_err(|error| error.with_outcome(Outcome::NotExecuted))?;
        }
        Ok(())
    }

    /// Reads up to the answer of the last claimed flight. Cancel safe.
    async fn drain(&mut self) -> Result<()> {
        self.check()?;
        while self.answered < self.claimed {
            self.receive().await?;
        }
        Ok(())
    }

    /// Takes what has come while nobody waited, without waiting.
    async fn peek(&mut self) -> Result<()> {
        let come = poll_fn(|cx| Poll::Ready(self.channel.poll_fill(cx))).await;
        while let Some(message) = self.take()? {
            self.handle(message)?;
        }
        match come {
            Poll::Ready(Ok(0)) => Err(self.lost(None)),
            Poll::Ready(Err(error)) => Err(self.lost(Some(error))),
            Poll::Ready(Ok(_)) | Poll::Pending => Ok(()),
        }
    }

    /// Waits for the next step of the oldest unanswered flight. Cancel safe: the only wait is for bytes.
    async fn receive(&mut self) -> Result<Step> {
        self.check()?;
        loop {
            while let Some(message) = self.take()? {
                if let Some(step) = self.handle(message)? {
                    return Ok(step);
                }
            }
            match poll_fn(|cx| self.channel.poll_fill(cx)).await {
                Ok(0) => return Err(self.lost(None)),
                Ok(_) => {}
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
    }

    /// Hands the stream what it takes at once.
    async fn send_some(&mut self) {
        // Whether it took all is of no interest, and that it failed shows when the answer is read.
        poll_fn(|cx| Poll::Ready(self.channel.poll_send(cx).is_ready())).await;
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

    /// Returns what a [`cancel`] of this session needs.
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
        self.channel.into_parts()
    }

    fn enqueue(&mut self, statement: &Statement<'_>) -> Result<()> {
        let replaced = match statement.parse {
            Parse::Named(name) if self.has_or_will_have(name) => Some(name),
            _ => None,
        };
        self.enqueue_with(|out| flight::encode(statement, replaced, out))?;
        if let (Parse::Named(name), Some(flight)) = (statement.parse, self.flights.back_mut()) {
            self.prepared.remove(name);
            flight.parsing = Some(name.into());
        }
        Ok(())
    }

    fn enqueue_simple_query(&mut self, sql: &str) -> Result<()> {
        self.enqueue_with(|out| flight::encode_simple_query(sql, out))
    }

    /// Adds a flight, or nothing when it cannot be encoded.
    fn enqueue_with(&mut self, encode: impl FnOnce(&mut BytesMut) -> Result<Kind>) -> Result<()> {
        self.check()?;
        let out = self.channel.out();
        let start = out.len();
        out.extend_from_slice(&self.closing);
        match encode(out) {
            Ok(kind) => {
                self.closing.clear();
                self.flights.push_back(Flight::new(kind));
                Ok(())
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    fn has_or_will_have(&self, name: &str) -> bool {
        self.prepared.contains(name) || self.flights.iter().any(|flight| flight.parsing.as_deref() == Some(name))
    }

    fn last_execution(&mut self) -> Execution<'_, S> {
        self.claimed = self.queued();
        let flight = self.claimed.saturating_sub(1);
        Execution::new(self, flight)
    }

    fn queued(&self) -> u64 {
        self.answered + self.flights.len() as u64
    }

    fn check(&self) -> Result<()> {
        if !self.broken {
            return Ok(());
        }
        Err(Error::closed("the session was lost before: open another", Outcome::NotExecuted))
    }

    fn take(&mut self) -> Result<Option<Incoming>> {
        self.channel.take().map_err(|error| self.broken_by(error))
    }

    /// Gives each message to where it belongs: the session or the oldest unanswered flight.
    fn handle(&mut self, message: Incoming) -> Result<Option<Step>> {
        let message = match message {
            Incoming::Message(message) => match self.session.absorb(message) {
                Ok(()) => return Ok(None),
                Err(message) => Incoming::Message(message),
            },
            row => row,
        };
        if let Incoming::Message(Message::ErrorResponse(body)) = &message {
            let error = error_fields::read(body.fields());
            // The server closes the connection behind it; whether what ran was committed before is not said.
            if is_fatal(&error) || self.flights.is_empty() {
                return Err(self.broken_by(Error::db(error)));
            }
        }
        let Some(flight) = self.flights.front_mut() else {
            return Err(self.broken_by(flight::unexpected()));
        };
        let step = match flight.step(message, self.channel.out()) {
            Ok(step) => step,
            Err(error) => return Err(self.broken_by(error)),
        };
        match step {
            Some(Step::Parsed(name)) => {
                self.prepared.insert(name);
                return Ok(None);
            }
            Some(Step::Answered(status, _)) => {
                self.session.status = status;
                self.flights.pop_front();
                self.answered += 1;
                if self.flights.is_empty() {
                    self.channel.shrink();
                }
            }
            _ => {}
        }
        Ok(step)
    }

    fn lost(&mut self, cause: Option<std::io::Error>) -> Error {
        let error = Error::closed("the connection to the server was lost", Outcome::Unknown);
        let cause = self.channel.write_error().or(cause);
        self.broken_by(match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        })
    }

    /// Nothing can be understood or expected any more.
    fn broken_by(&mut self, error: Error) -> Error {
        self.broken = true;
        let harmless = self.flights.iter().all(|flight| flight.kind == Kind::Ping);
        error.with_outcome(if harmless { Outcome::NotExecuted } else { Outcome::Unknown })
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
