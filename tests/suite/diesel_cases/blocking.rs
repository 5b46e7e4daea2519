//! diesel's own traits under diesel-async's names: what is awaited is there already.

use std::fmt::Debug;

use diesel::{
    QueryResult,
    associations::HasTable,
    connection::{AnsiTransactionManager, CacheSize, Instrumentation, TransactionManager},
    dsl::Limit,
    query_dsl::{
        LoadQuery,
        methods::{ExecuteDsl, LimitDsl},
    },
    result::Error,
};
use futures_util::FutureExt;

use super::{
    case::{Case, Seen},
    ground::Ground,
    seen,
};

/// Runs a case on this thread.
pub(super) fn observe(case: &Case, ground: &Ground) -> Seen {
    now((case.run)(ground))
}

/// The output of a future that never waits.
pub(super) fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().expect("what only blocks")
}

pub(super) async fn establish<C: Connection>(ground: &Ground) -> C {
    C::establish(&ground.url).unwrap()
}

pub(super) trait RunQueryDsl<C>: diesel::RunQueryDsl<C> + Sized {
    async fn execute(self, connection: &mut C) -> QueryResult<usize>
    where
        C: diesel::Connection,
        Self: ExecuteDsl<C>,
    {
        diesel::RunQueryDsl::execute(self, connection)
    }

    async fn load<'query, U>(self, connection: &mut C) -> QueryResult<Vec<U>>
    where
        Self: LoadQuery<'query, C, U>,
    {
        diesel::RunQueryDsl::load(self, connection)
    }

    async fn get_result<'query, U>(self, connection: &mut C) -> QueryResult<U>
    where
        Self: LoadQuery<'query, C, U>,
    {
        diesel::RunQueryDsl::get_result(self, connection)
    }

    async fn get_results<'query, U>(self, connection: &mut C) -> QueryResult<Vec<U>>
    where
        Self: LoadQuery<'query, C, U>,
    {
        diesel::RunQueryDsl::get_results(self, connection)
    }

    async fn first<'query, U>(self, connection: &mut C) -> QueryResult<U>
    where
        Self: LimitDsl,
        Limit<Self>: LoadQuery<'query, C, U>,
    {
        diesel::RunQueryDsl::first(self, connection)
    }
}

impl<T: diesel::RunQueryDsl<C>, C> RunQueryDsl<C> for T {}

pub(super) trait SaveChangesDsl<C>: diesel::SaveChangesDsl<C> + Sized {
    async fn save_changes<T>(self, connection: &mut C) -> QueryResult<T>
    where
        Self: HasTable,
        C: diesel::query_dsl::UpdateAndFetchResults<Self, T>,
    {
        diesel::SaveChangesDsl::save_changes(self, connection)
    }
}

impl<T: Copy + diesel::query_builder::AsChangeset, C> SaveChangesDsl<C> for T where T: diesel::SaveChangesDsl<C> {}

pub(super) trait SimpleConnection: diesel::connection::SimpleConnection {
    async fn batch_execute(&mut self, script: &str) -> QueryResult<()> {
        diesel::connection::SimpleConnection::batch_execute(self, script)
    }
}

impl<C: diesel::connection::SimpleConnection> SimpleConnection for C {}

pub(super) trait Connection: diesel::Connection<TransactionManager = AnsiTransactionManager> {
    async fn transaction<T, E, F>(&mut self, body: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Self) -> Result<T, E>,
        E: From<Error>,
    {
        diesel::Connection::transaction(self, |connection| now(body(connection)))
    }

    async fn test_transaction<T, E, F>(&mut self, body: F) -> T
    where
        F: AsyncFnOnce(&mut Self) -> Result<T, E>,
        E: Debug,
    {
        diesel::Connection::test_transaction(self, |connection| now(body(connection)))
    }

    async fn begin_test_transaction(&mut self) -> QueryResult<()> {
        diesel::Connection::begin_test_transaction(self)
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        diesel::Connection::set_instrumentation(self, instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        diesel::Connection::set_prepared_statement_cache_size(self, size);
    }
}

impl<C: diesel::Connection<TransactionManager = AnsiTransactionManager>> Connection for C {}

pub(super) async fn begin<C: Connection>(connection: &mut C) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction(connection)
}

pub(super) async fn commit<C: Connection>(connection: &mut C) -> QueryResult<()> {
    AnsiTransactionManager::commit_transaction(connection)
}

pub(super) async fn rollback<C: Connection>(connection: &mut C) -> QueryResult<()> {
    AnsiTransactionManager::rollback_transaction(connection)
}

pub(super) fn status<C: Connection>(connection: &mut C) -> String {
    seen::status(AnsiTransactionManager::transaction_manager_status_mut(connection))
}

/// The next notification that has come.
macro_rules! heard {
    ($connection:expr) => {
        $connection.notifications_iter().next()
    };
}

pub(super) use heard;

/// Runs a body in a transaction that was built.
macro_rules! run {
    ($builder:expr, $body:expr) => {{
        let body = $body;
        $builder.run(|connection| $crate::diesel_cases::blocking::now(body(connection)))
    }};
}

pub(super) use run;
