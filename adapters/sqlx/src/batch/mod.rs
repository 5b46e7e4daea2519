//! Several of sqlx's queries as one transaction, sent whole.

mod capture;
mod query;
mod results;
mod rows;
mod seat;

use std::{
    any::Any,
    fmt,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, future::join};
use pgferry::{
    Config, Error,
    batch::{BatchOptions, IsolationLevel},
};
use sqlx::{
    AssertSqlSafe, Connection, Execute, Executor, Postgres,
    postgres::{PgArguments, PgQueryResult},
};

use self::{
    capture::{Capture, Captured, Source},
    seat::Seat,
};
use crate::Ferry;

pub use query::Query;
pub use results::{Results, Slot};
pub(crate) use seat::Seats;

/// Several of sqlx's queries, sent whole as one transaction: all take effect or none.
///
/// Over HTTP a batch is one request, and so the way to have transactions there; over WebSocket it is one flight in a session that
/// batches share. With [`Transport::Auto`](crate::Transport::Auto) it goes over HTTP, unless a statement needs a session.
///
/// Queries are sqlx's own, with their arguments bound: none can depend on another one's result. Each is given a [`Slot`], and what it
/// gave is [taken](Results::take) from the [`Results`] that [`send`](Self::send) returns.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> sqlx::Result<()> {
/// use pgferry_sqlx::Ferry;
///
/// let ferry = Ferry::new("postgresql://app:secret@db.example.com/app?transport=http")?;
///
/// let mut batch = ferry.batch();
/// let paid = batch.execute(sqlx::query("update accounts set balance = balance - $1 where id = $2").bind(5).bind(1_i64));
/// batch.execute(sqlx::query("update accounts set balance = balance + $1 where id = $2").bind(5).bind(2_i64));
/// let left = batch.fetch_one(sqlx::query_scalar::<_, i64>("select balance from accounts where id = $1").bind(1_i64));
///
/// let mut results = batch.send().await?;
/// assert_eq!(results.take(paid)?.rows_affected(), 1);
/// println!("{} are left", results.take(left)?);
/// # Ok(())
/// # }
/// ```
#[must_use = "a batch does nothing until it is sent"]
pub struct Batch<'q> {
    ferry: Ferry,
    id: Arc<()>,
    options: BatchOptions,
    queries: Vec<Queued<'q>>,
    /// An argument could not be encoded: the batch will not be sent.
    error: Option<sqlx::Error>,
}

/// A query that has given its statement and waits for its results.
struct Queued<'q> {
    captured: Captured,
    source: Source,
    /// Gives a `sqlx::Result` of what the slot is of.
    result: BoxFuture<'q, Box<dyn Any + Send>>,
}

impl<'q> Batch<'q> {
    /// Makes a batch for a URL or a [`Config`]. Whoever sends several saves connections by [`Ferry::batch`].
    ///
    /// # Errors
    ///
    /// Those of [`Ferry::new`].
    pub fn new<T>(target: T) -> sqlx::Result<Self>
    where
        T: TryInto<Config>,
        T::Error: Into<Error>,
    {
        Ok(Self::on(Ferry::new(target)?))
    }

    pub(crate) fn on(ferry: Ferry) -> Self {
        Self { ferry, id: Arc::new(()), options: BatchOptions::new(), queries: Vec::new(), error: None }
    }

    /// Sets the isolation level. Defaults to the role's `default_transaction_isolation`.
    pub fn isolation_level(&mut self, level: IsolationLevel) -> &mut Self {
        self.options = self.options.isolation_level(level);
        self
    }

    /// Sets whether writing is an error. Defaults to false, which leaves it to the role's `default_transaction_read_only`.
    pub fn read_only(&mut self, read_only: bool) -> &mut Self {
        self.options = self.options.read_only(read_only);
        self
    }

    /// Sets whether a serializable, read-only batch waits until it can neither fail nor make others fail. Defaults to false.
    pub fn deferrable(&mut self, deferrable: bool) -> &mut Self {
        self.options = self.options.deferrable(deferrable);
        self
    }

    /// Adds a query of which all rows are wanted.
    pub fn fetch_all<Q: Query<'q>>(&mut self, query: Q) -> Slot<Vec<Q::Output>> {
        self.add(|from| query.all(from))
    }

    /// Adds a query of which the first row is wanted. Where there is none, that is [`sqlx::Error::RowNotFound`] when the slot is
    /// taken; the batch has taken effect nevertheless.
    pub fn fetch_one<Q: Query<'q>>(&mut self, query: Q) -> Slot<Q::Output> {
        self.add(|from| {
            let found = query.optional(from);
            async move { found.await?.ok_or(sqlx::Error::RowNotFound) }.boxed()
        })
    }

    /// Adds a query of which the first row is wanted, if there is one.
    pub fn fetch_optional<Q: Query<'q>>(&mut self, query: Q) -> Slot<Option<Q::Output>> {
        self.add(|from| query.optional(from))
    }

    /// Adds a query whose rows are not wanted: anything that sqlx executes, also a text of several statements without arguments
    /// ([`sqlx::raw_sql`]).
    pub fn execute<'a, E: Execute<'a, Postgres>>(&mut self, query: E) -> Slot<PgQueryResult> {
        self.add(|from| rows::total(from.give(query)).boxed())
    }

    /// Returns how many queries were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Returns whether no query was added. An empty batch is sent without sending anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty() && self.error.is_none()
    }

    /// Sends the batch and waits for its end. All results are in memory by then.
    ///
    /// Where the types of arguments or results are the database's own, they are asked for as by any connection of sqlx's, in requests
    /// beside the batch, and remembered.
    ///
    /// Cancel safe in that nothing is sent when it is dropped before, and what runs is cancelled when it is dropped later; whether
    /// that had ended by then is unknown.
    ///
    /// # Errors
    ///
    /// Nothing has taken effect, but where an error of the connection or a deadline (SQLSTATE 08007) leaves that unknown:
    ///
    /// - [`sqlx::Error::Encode`] when an argument could not be encoded, [`sqlx::Error::TypeNotFound`] when its type is none of the
    ///   database's. Nothing was sent.
    /// - [`sqlx::Error::Database`] with SQLSTATE 0A000 for transaction control, LISTEN and COPY, and over HTTP for whatever needs a
    ///   session. Nothing was sent.
    /// - [`sqlx::Error::Database`] otherwise, as the server says. Over WebSocket its context (`where`) names the statement; a
    ///   response over HTTP does not tell which one it was.
    pub async fn send(self) -> sqlx::Result<Results> {
        let Self { ferry, id, options, queries, error } = self;
        if let Some(error) = error {
            return Err(error);
        }
        if queries.is_empty() {
            return Ok(Results { batch: id, results: Vec::new() });
        }
        let guard = ferry.guard()?;
        let seats = ferry.seats().unwrap_or_default();
        let mut seat = seats.take(&guard).await?;
        let mut waiting = Vec::with_capacity(queries.len());
        for Queued { captured: Captured { sql, arguments }, source, result } in queries {
            let is_script = arguments.is_none();
            match arguments {
                // Not kept in the connection: the same text may come with other types.
                Some(arguments) => {
                    let query = sqlx::query_with::<Postgres, _>(sql, arguments).persistent(false);
                    seat.connection.execute(query).await?;
                }
                None => seat.gathering.add_script(sql.as_str()),
            }
            waiting.push((is_script, source, result));
        }
        if seat.gathering.send(options).await.is_err() {
            // Told by the connection, as an error of sqlx's own.
            return Err(match seat.connection.execute(next_result(&seat)).await {
                Err(error) => error,
                Ok(_) => sqlx::Error::Protocol("a batch failed and does not say why".to_owned()),
            });
        }
        let mut results = Vec::with_capacity(waiting.len());
        let mut is_sound = true;
        for (index, (is_script, source, result)) in waiting.into_iter().enumerate() {
            seat.gathering.turn_to(index);
            let pass = pass_on(&mut seat, is_script, source);
            let (passed, result) = join(pass, result).await;
            is_sound &= passed;
            results.push(Some(result));
        }
        if is_sound {
            seats.give_back(seat);
        }
        Ok(Results { batch: id, results })
    }

    fn add<T: Send + 'static>(&mut self, run: impl FnOnce(Capture) -> BoxFuture<'q, sqlx::Result<T>>) -> Slot<T> {
        let (capture, source) = Capture::new();
        let running = run(capture);
        let mut result: BoxFuture<'q, Box<dyn Any + Send>> =
            async move { Box::new(running.await) as Box<dyn Any + Send> }.boxed();
        // It gives its statement when first polled, and then waits for results.
        let polled = result.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        match (source.take(), polled) {
            (Some(Ok(captured)), Poll::Pending) => self.queries.push(Queued { captured, source, result }),
            (Some(Err(error)), _) => {
                self.error.get_or_insert(error);
            }
            _ => {
                let error = sqlx::Error::Protocol("the query did not say what it executes".to_owned());
                self.error.get_or_insert(error);
            }
        }
        Slot { index: self.queries.len().saturating_sub(1), batch: Arc::clone(&self.id), gives: PhantomData }
    }
}

/// Passes the next result on to its query; false if the connection did not understand it.
async fn pass_on(seat: &mut Seat, is_script: bool, source: Source) -> bool {
    let Source { steps, .. } = source;
    let mut results = match is_script {
        true => seat.connection.fetch_many(next_result(seat)),
        // Described anew each time: it has other columns.
        false => {
            let question = AssertSqlSafe(seat.gathering.name().to_owned());
            seat.connection
                .fetch_many(sqlx::query_with::<Postgres, _>(question, PgArguments::default()).persistent(false))
        }
    };
    while let Some(step) = results.next().await {
        let is_error = step.is_err();
        // A query that has what it wants listens no more.
        if steps.send(step).await.is_err() {
            drop(results);
            // Reads the rows that are left, which would else wait in the endpoint.
            return seat.connection.ping().await.is_ok();
        }
        if is_error {
            return false;
        }
    }
    true
}

fn next_result(seat: &Seat) -> sqlx::RawSql {
    sqlx::raw_sql(AssertSqlSafe(seat.gathering.name().to_owned()))
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ferry, id: _, options, queries, error } = self;
        f.debug_struct("Batch")
            .field("ferry", ferry)
            .field("options", options)
            .field("queries", &queries.len())
            .field("error", error)
            .finish_non_exhaustive()
    }
}
