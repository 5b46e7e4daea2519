use diesel::{QueryResult, dsl, result::Error::BrokenTransactionManager, sql_query, sql_types::Integer};
use diesel_async::{
    AnsiTransactionManager, RunQueryDsl, TransactionManager,
    methods::{ExecuteDsl, LoadQuery},
    pooled_connection::{PoolableConnection, RecyclingMethod},
};

use super::AsyncFerryConnection;
use crate::error;

impl PoolableConnection for AsyncFerryConnection {
    /// Asks the server as the method says, but not on a session whose end was seen: not every pool looks at
    /// [`is_broken`](Self::is_broken) before it hands a connection out.
    async fn ping(&mut self, config: &RecyclingMethod<Self>) -> QueryResult<()>
    where
        for<'a> dsl::select<dsl::AsExprOf<i32, Integer>>: LoadQuery<'a, Self, i32>,
        diesel::query_builder::SqlQuery: ExecuteDsl<Self>,
    {
        if !self.session.is_usable() {
            return Err(error::lost());
        }
        if self.is_broken() {
            return Err(BrokenTransactionManager);
        }
        match config {
            RecyclingMethod::Fast => Ok(()),
            RecyclingMethod::Verified => sql_query("SELECT 1").execute(self).await.map(drop),
            RecyclingMethod::CustomQuery(query) => sql_query(query.as_ref()).execute(self).await.map(drop),
            RecyclingMethod::CustomFunction(check) => check(self).await,
        }
    }

    /// Asks no server: the session's task has seen its end by itself.
    fn is_broken(&mut self) -> bool {
        !self.session.is_usable() || AnsiTransactionManager::is_broken_transaction_manager(self)
    }
}
