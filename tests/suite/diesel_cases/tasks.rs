//! diesel-async's traits, as they are.

use std::time::Duration;

use diesel::QueryResult;
use diesel_async::{AnsiTransactionManager, TransactionManager};
pub(super) use diesel_async::{
    AsyncConnection as Connection, RunQueryDsl, SaveChangesDsl, SimpleAsyncConnection as SimpleConnection,
};

use super::{
    case::{Case, Seen},
    ground::Ground,
    seen,
};

/// What a case may take before it is taken for hanging.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a case on a runtime of its own.
pub(super) fn observe(case: &Case, ground: &Ground) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(LIMIT, (case.run)(ground)).await.expect("a case that does not hang") })
}

pub(super) async fn establish<C: Connection>(ground: &Ground) -> C {
    C::establish(&ground.url).await.unwrap()
}

pub(super) async fn begin<C>(connection: &mut C) -> QueryResult<()>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
{
    AnsiTransactionManager::begin_transaction(connection).await
}

pub(super) async fn commit<C>(connection: &mut C) -> QueryResult<()>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
{
    AnsiTransactionManager::commit_transaction(connection).await
}

pub(super) async fn rollback<C>(connection: &mut C) -> QueryResult<()>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
{
    AnsiTransactionManager::rollback_transaction(connection).await
}

pub(super) fn status<C>(connection: &mut C) -> String
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
{
    seen::status(AnsiTransactionManager::transaction_manager_status_mut(connection))
}

/// The next notification, which must come.
macro_rules! heard {
    ($connection:expr) => {{
        let mut stream = std::pin::pin!($connection.notifications_stream());
        tokio::time::timeout(std::time::Duration::from_secs(30), futures_util::StreamExt::next(&mut stream))
            .await
            .ok()
            .flatten()
    }};
}

pub(super) use heard;

/// Runs a body in a transaction that was built.
macro_rules! run {
    ($builder:expr, $body:expr) => {
        $builder.run($body).await
    };
}

pub(super) use run;
