//! Transactions, savepoints, and what HTTP says of them.

use diesel::{
    connection::TransactionManagerStatus,
    prelude::*,
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::{AnsiTransactionManager, RunQueryDsl, TransactionManager};
use pgferry_diesel::Transport;
use pgferry_test_support::Stage;

use super::{Connection, on_each_session, on_each_session_and_tcp};

on_each_session_and_tcp!(
    commits_and_rollbacks_take_effect,
    savepoints_undo_a_part,
    an_error_inside_is_undone,
    a_commit_that_fails_ends_the_transaction,
    a_test_transaction_is_undone,
    a_failed_transaction_recovers_at_its_savepoint,
);

mod exact {
    super::on_each_session!(statements_of_their_own_are_noticed, options_are_in_force);
    use super::{options_are_in_force, statements_of_their_own_are_noticed};
}

/// The statements of several builders, each shown as diesel builds it.
macro_rules! statements {
    ($connection:expr) => {{
        let connection = $connection;
        [
            diesel::debug_query(&connection.build_transaction()).to_string(),
            diesel::debug_query(&connection.build_transaction().read_committed().read_write()).to_string(),
            diesel::debug_query(&connection.build_transaction().repeatable_read().not_deferrable()).to_string(),
            diesel::debug_query(&connection.build_transaction().deferrable().read_only().serializable()).to_string(),
        ]
    }};
}

#[tokio::test]
async fn a_builder_is_a_part_of_a_query() {
    let stage = Stage::start();
    let control = statements!(&mut super::tcp(&stage).await);
    assert_eq!(statements!(&mut super::ferry(&stage, Transport::Auto).await), control);
}

#[tokio::test]
async fn a_transaction_may_return_what_stays_on_its_thread() {
    let stage = Stage::start();
    let mut connection = super::ferry(&stage, Transport::WebSocket).await;
    let result = connection.build_transaction().run(async |_| QueryResult::Ok(std::rc::Rc::new(1))).await;
    assert_eq!(*result.unwrap(), 1);
}

async fn count<C: Connection>(connection: &mut C) -> i64 {
    diesel::select(diesel::dsl::sql::<BigInt>("(select count(*) from t)")).get_result(connection).await.unwrap()
}

async fn insert<C: Connection>(connection: &mut C, id: i32) -> QueryResult<usize> {
    sql_query("insert into t values ($1)").bind::<diesel::sql_types::Integer, _>(id).execute(connection).await
}

async fn commits_and_rollbacks_take_effect<C: Connection>(connection: &mut C, _: &Stage) {
    connection.batch_execute("create table t (id integer primary key)").await.unwrap();
    let committed = connection.transaction(async |connection| insert(connection, 1).await).await;
    assert_eq!(committed, Ok(1));
    let undone: Result<(), Error> = connection
        .transaction(async |connection| {
            insert(connection, 2).await?;
            Err(Error::RollbackTransaction)
        })
        .await;
    assert_eq!(undone, Err(Error::RollbackTransaction));
    assert_eq!(count(connection).await, 1);
}

async fn savepoints_undo_a_part<C: Connection>(connection: &mut C, _: &Stage) {
    connection.batch_execute("create table t (id integer primary key)").await.unwrap();
    let outer: QueryResult<()> = connection
        .transaction(async |connection| {
            insert(connection, 1).await?;
            let inner: QueryResult<()> = connection
                .transaction(async |connection| {
                    insert(connection, 2).await?;
                    Err(Error::RollbackTransaction)
                })
                .await;
            assert_eq!(inner, Err(Error::RollbackTransaction));
            connection.transaction(async |connection| insert(connection, 3).await).await?;
            Ok(())
        })
        .await;
    assert_eq!(outer, Ok(()));
    assert_eq!(count(connection).await, 2);
}

async fn an_error_inside_is_undone<C: Connection>(connection: &mut C, _: &Stage) {
    connection.batch_execute("create table t (id integer primary key)").await.unwrap();
    let failed: QueryResult<()> = connection
        .transaction(async |connection| {
            insert(connection, 1).await?;
            insert(connection, 1).await?;
            Ok(())
        })
        .await;
    assert!(matches!(failed, Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))), "{failed:?}");
    assert_eq!(count(connection).await, 0);
    assert!(!AnsiTransactionManager::is_broken_transaction_manager(connection));
}

async fn a_commit_that_fails_ends_the_transaction<C: Connection>(connection: &mut C, _: &Stage) {
    let script = "create table t (id integer unique deferrable initially deferred)";
    connection.batch_execute(script).await.unwrap();
    let failed: QueryResult<()> = connection
        .transaction(async |connection| {
            insert(connection, 1).await?;
            insert(connection, 1).await?;
            Ok(())
        })
        .await;
    assert!(matches!(failed, Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))), "{failed:?}");
    assert_eq!(count(connection).await, 0);
    assert_eq!(connection.transaction(async |connection| insert(connection, 1).await).await, Ok(1));
}

async fn a_test_transaction_is_undone<C: Connection>(connection: &mut C, stage: &Stage) {
    stage.psql("create table t (id integer primary key); alter table t owner to app");
    connection.begin_test_transaction().await.unwrap();
    insert(connection, 1).await.unwrap();
    assert_eq!(count(connection).await, 1);
    assert!(!AnsiTransactionManager::is_broken_transaction_manager(connection));
    assert_eq!(stage.psql("select count(*) from t"), "0");
    AnsiTransactionManager::rollback_transaction(connection).await.unwrap();
    let given = connection.test_transaction::<_, Error, _>(async |connection| insert(connection, 2).await).await;
    assert_eq!(given, 1);
    assert_eq!(count(connection).await, 0);
}

async fn a_failed_transaction_recovers_at_its_savepoint<C: Connection>(connection: &mut C, _: &Stage) {
    connection.batch_execute("create table t (id integer primary key)").await.unwrap();
    let outer: QueryResult<()> = connection
        .transaction(async |connection| {
            insert(connection, 1).await?;
            let inner: QueryResult<usize> =
                connection.transaction(async |connection| insert(connection, 1).await).await;
            assert!(inner.is_err());
            insert(connection, 2).await?;
            Ok(())
        })
        .await;
    assert_eq!(outer, Ok(()));
    assert_eq!(count(connection).await, 2);
}

/// diesel-async's own connection does not notice these.
async fn statements_of_their_own_are_noticed<C: Connection>(connection: &mut C, _: &Stage) {
    connection.batch_execute("create table t (id integer primary key)").await.unwrap();
    AnsiTransactionManager::begin_transaction(connection).await.unwrap();
    insert(connection, 1).await.unwrap();
    connection.batch_execute("rollback").await.unwrap();
    let status = AnsiTransactionManager::transaction_manager_status_mut(connection);
    assert!(matches!(status.transaction_depth(), Ok(None)), "{status:?}");
    connection.batch_execute("begin").await.unwrap();
    let error = connection.transaction(async |_| QueryResult::Ok(())).await;
    assert!(matches!(error, Ok(()) | Err(Error::DatabaseError(..))), "{error:?}");
    connection.batch_execute("rollback").await.unwrap();
    let status = AnsiTransactionManager::transaction_manager_status_mut(connection);
    assert!(matches!(status, TransactionManagerStatus::Valid(_)), "{status:?}");
}

async fn options_are_in_force(connection: &mut pgferry_diesel::AsyncFerryConnection, _: &Stage) {
    let shown = connection
        .build_transaction()
        .serializable()
        .read_only()
        .deferrable()
        .run(async |connection| {
            let query = "concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'), \
                         current_setting('transaction_deferrable'))";
            diesel::select(diesel::dsl::sql::<Text>(query)).get_result::<String>(connection).await
        })
        .await;
    assert_eq!(shown.as_deref(), Ok("serializable on on"));
    assert_eq!(connection.build_transaction().to_string(), "BEGIN TRANSACTION");
}

#[tokio::test]
async fn over_http_a_transaction_is_refused_with_its_remedy() {
    let stage = Stage::start();
    let mut connection = super::ferry(&stage, Transport::Http).await;
    let refused = diesel_async::AsyncConnection::transaction(&mut connection, async |_| QueryResult::Ok(())).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("batch") && message.contains("transport=websocket"), "{message}");
    assert!(!AnsiTransactionManager::is_broken_transaction_manager(&mut connection));
    let one: i32 =
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1")).get_result(&mut connection).await.unwrap();
    assert_eq!(one, 1);
}
