use std::{fmt, iter};

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, QueryFragment},
};
use diesel_async::{AnsiTransactionManager, AsyncConnection, TransactionManager};

/// Begins a transaction with an isolation level, read only, or deferrable; each part that is not set is as the role's settings say.
///
/// Made by [`AsyncFerryConnection::build_transaction`](crate::AsyncFerryConnection::build_transaction).
#[must_use = "it begins nothing before `run`"]
pub struct TransactionBuilder<'a, C> {
    connection: &'a mut C,
    isolation_level: Option<&'static str>,
    access: Option<&'static str>,
    deferrable: Option<&'static str>,
}

/// What a transaction's body may be: an async closure whose future is `Send`, which its own trait cannot say yet.
pub trait Body<T, R>: AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as Body<T, R>>::Future {
    /// What it returns.
    type Future: Future<Output = R>;
}

impl<F, T, Fut, R> Body<T, R> for F
where
    F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Future = Fut;
}

impl<'a, C> TransactionBuilder<'a, C>
where
    C: AsyncConnection<TransactionManager = AnsiTransactionManager>,
{
    pub(super) fn new(connection: &'a mut C) -> Self {
        Self { connection, isolation_level: None, access: None, deferrable: None }
    }

    /// Sets the level READ COMMITTED.
    pub fn read_committed(self) -> Self {
        Self { isolation_level: Some(" ISOLATION LEVEL READ COMMITTED"), ..self }
    }

    /// Sets the level REPEATABLE READ.
    pub fn repeatable_read(self) -> Self {
        Self { isolation_level: Some(" ISOLATION LEVEL REPEATABLE READ"), ..self }
    }

    /// Sets the level SERIALIZABLE.
    pub fn serializable(self) -> Self {
        Self { isolation_level: Some(" ISOLATION LEVEL SERIALIZABLE"), ..self }
    }

    /// Makes writing an error.
    pub fn read_only(self) -> Self {
        Self { access: Some(" READ ONLY"), ..self }
    }

    /// Allows writing.
    pub fn read_write(self) -> Self {
        Self { access: Some(" READ WRITE"), ..self }
    }

    /// Lets a serializable transaction that is read only wait until it can neither fail nor make others fail.
    pub fn deferrable(self) -> Self {
        Self { deferrable: Some(" DEFERRABLE"), ..self }
    }

    /// Does not let it wait.
    pub fn not_deferrable(self) -> Self {
        Self { deferrable: Some(" NOT DEFERRABLE"), ..self }
    }

    /// Runs `body` in the transaction, which is committed if it returns `Ok`, and rolled back otherwise.
    ///
    /// Not cancel safe: the transaction stays open when the future is dropped, and pools drop the connection.
    ///
    /// # Errors
    ///
    /// Those of `body`; [`AlreadyInTransaction`](diesel::result::Error::AlreadyInTransaction), since savepoints have no such options; the
    /// server's for BEGIN, COMMIT and ROLLBACK, which over HTTP are refused.
    pub async fn run<T, E, F>(&mut self, body: F) -> Result<T, E>
    where
        for<'r> F: AsyncFnOnce(&'r mut C) -> Result<T, E> + Body<&'r mut C, Result<T, E>, Future: Send> + Send,
        E: From<diesel::result::Error>,
    {
        let begin = self.to_string();
        AnsiTransactionManager::begin_transaction_sql(&mut *self.connection, &begin).await?;
        match body(&mut *self.connection).await {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                AnsiTransactionManager::rollback_transaction(&mut *self.connection).await?;
                Err(error)
            }
        }
    }

    async fn commit(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::commit_transaction(&mut *self.connection).await
    }
}

impl<C> TransactionBuilder<'_, C> {
    /// Returns the parts of the statement that begins it.
    fn parts(&self) -> impl Iterator<Item = &'static str> {
        let Self { connection: _, isolation_level, access, deferrable } = *self;
        iter::once("BEGIN TRANSACTION").chain([isolation_level, access, deferrable].into_iter().flatten())
    }
}

impl<C> QueryFragment<Pg> for TransactionBuilder<'_, C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.parts().for_each(|part| out.push_sql(part));
        Ok(())
    }
}

/// Shows the statement that begins it.
impl<C> fmt::Display for TransactionBuilder<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|part| f.write_str(part))
    }
}

impl<C> fmt::Debug for TransactionBuilder<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TransactionBuilder").field(&self.to_string()).finish()
    }
}
