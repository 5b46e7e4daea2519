//! Several of diesel's queries as one transaction, sent whole.

mod blocking;
mod entry;
mod results;

use std::{fmt, sync::Arc};

use diesel::{
    QueryResult,
    deserialize::FromSqlRow,
    expression::QueryMetadata,
    pg::Pg,
    query_builder::{AsQuery, QueryFragment, QueryId},
    query_dsl::CompatibleType,
    result::Error,
};
use pgferry::batch::{BatchOptions, IsolationLevel};

pub(crate) use entry::{Entry, statement};
pub use results::{Results, Slot};

/// Several of diesel's queries, sent whole as one transaction: all take effect or none.
///
/// Over HTTP a batch is one request, and so the way to have transactions there; over WebSocket it is one flight, a transaction of its own.
///
/// Queries are diesel's own: none can depend on another one's result. Each is given a [`Slot`], and what it gave is
/// [taken](Results::take) from the [`Results`] that `send` returns. What adds them has other names than diesel's `RunQueryDsl`, whose methods
/// would come before it.
///
/// # Example
///
/// ```no_run
/// use diesel::prelude::*;
/// use pgferry_diesel::AsyncFerryConnection;
///
/// diesel::table! {
///     accounts (id) {
///         id -> BigInt,
///         balance -> Integer,
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connection = AsyncFerryConnection::connect("postgresql://app:secret@db.example.com/app?transport=http").await?;
///
/// let mut batch = connection.batch();
/// let paid = batch.add_execute(diesel::update(accounts::table.find(1)).set(accounts::balance.eq(accounts::balance - 5)));
/// batch.add_execute(diesel::update(accounts::table.find(2)).set(accounts::balance.eq(accounts::balance + 5)));
/// let left = batch.add_get_result::<_, i32>(accounts::table.find(1).select(accounts::balance));
///
/// let mut results = batch.send().await?;
/// assert_eq!(results.take(paid)?, 1);
/// println!("{} are left", results.take(left)?);
/// # Ok(())
/// # }
/// ```
#[must_use = "a batch does nothing until it is sent"]
pub struct Batch<C: TakesApart> {
    connection: C,
    options: BatchOptions,
    entries: Vec<Entry<C::Binds>>,
    id: Arc<()>,
}

/// A connection that takes a query's parameters out of it.
pub trait TakesApart {
    /// The parameters and their types.
    type Binds;

    /// Takes a query's parameters.
    fn take_apart(&mut self, query: &dyn QueryFragment<Pg>) -> QueryResult<Self::Binds>;
}

impl<C: TakesApart> Batch<C> {
    pub(crate) fn on(connection: C) -> Self {
        Self { connection, options: BatchOptions::new(), entries: Vec::new(), id: Arc::new(()) }
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

    /// Adds a query of which all rows are wanted, as diesel's `load`.
    pub fn add_load<T, U>(&mut self, query: T) -> Slot<Vec<U>>
    where
        T: AsQuery,
        T::Query: QueryFragment<Pg> + QueryId,
        T::SqlType: CompatibleType<U, Pg>,
        U: FromSqlRow<<T::SqlType as CompatibleType<U, Pg>>::SqlType, Pg> + Send + 'static,
        Pg: QueryMetadata<T::SqlType>,
    {
        self.add(&query.as_query(), |output| results::rows(output).collect::<QueryResult<Vec<U>>>())
    }

    /// Adds a query of which the first row is wanted, as diesel's `get_result`. Where there is none, that is
    /// [`NotFound`](Error::NotFound) when the slot is taken; the batch has taken effect nevertheless.
    pub fn add_get_result<T, U>(&mut self, query: T) -> Slot<U>
    where
        T: AsQuery,
        T::Query: QueryFragment<Pg> + QueryId,
        T::SqlType: CompatibleType<U, Pg>,
        U: FromSqlRow<<T::SqlType as CompatibleType<U, Pg>>::SqlType, Pg> + Send + 'static,
        Pg: QueryMetadata<T::SqlType>,
    {
        self.add(&query.as_query(), |output| results::rows(output).next().unwrap_or(Err(Error::NotFound)))
    }

    /// Adds a query of which only the number of rows is wanted that it touched, as diesel's `execute`.
    pub fn add_execute<T>(&mut self, query: T) -> Slot<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.add(&query, |output| Ok(usize::try_from(output.affected).unwrap_or(usize::MAX)))
    }

    /// Returns how many queries were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether no query was added. An empty batch is sent without sending anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn add<R, Q>(
        &mut self,
        query: &Q,
        read: impl FnOnce(pgferry::execute::Output) -> QueryResult<R> + Send + 'static,
    ) -> Slot<R>
    where
        R: Send + 'static,
        Q: QueryFragment<Pg>,
    {
        let binds = self.connection.take_apart(query);
        self.entries.push(Entry::new(query, binds, read));
        Slot::new(&self.id, self.entries.len() - 1)
    }

    /// Takes it apart: the connection, the options, the queries, and what makes the results of theirs.
    pub(crate) fn into_parts(self) -> (C, BatchOptions, Vec<Entry<C::Binds>>, Arc<()>) {
        let Self { connection, options, entries, id } = self;
        (connection, options, entries, id)
    }
}

impl<C: TakesApart> fmt::Debug for Batch<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection: _, options, entries, id: _ } = self;
        f.debug_struct("Batch").field("options", options).field("queries", &entries.len()).finish()
    }
}
