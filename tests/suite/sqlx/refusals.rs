use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgAdvisoryLock, PgListener, PgPoolCopyExt},
};

use super::Road;
use pgferry_test_support::Stage;

fn refusal(error: &sqlx::Error) -> (String, String) {
    let error = error.as_database_error().unwrap_or_else(|| panic!("{error}"));
    (error.code().unwrap_or_default().into_owned(), error.message().to_owned())
}

async fn expect_usable(pool: &PgPool) {
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(pool).await.unwrap();
    assert_eq!(one, 1);
}

#[tokio::test]
async fn what_needs_a_session_is_refused_over_http_with_its_remedy() {
    let stage = Stage::start();
    let pool = Road::Http.pool(&stage).await;
    for statement in [
        "begin",
        "set search_path = public",
        "listen news",
        "copy pg_class to stdout",
        "declare c cursor for select 1",
        "prepare p as select 1",
        "create temporary table t (i int)",
        "select pg_advisory_lock(1)",
    ] {
        for error in [
            sqlx::query(statement).execute(&pool).await.unwrap_err(),
            sqlx::raw_sql(statement).execute(&pool).await.unwrap_err(),
        ] {
            let (code, message) = refusal(&error);
            assert_eq!(code, "0A000", "{statement}: {message}");
            assert!(message.contains("websocket"), "{statement}: {message}");
        }
        expect_usable(&pool).await;
    }
    let lock = PgAdvisoryLock::new("only one");
    let (code, message) = refusal(&lock.acquire(pool.acquire().await.unwrap()).await.map(drop).unwrap_err());
    assert_eq!(code, "0A000", "{message}");
    assert!(message.contains("pg_advisory_xact_lock"), "{message}");
    expect_usable(&pool).await;
    let (code, _) = refusal(&pool.begin().await.unwrap_err());
    assert_eq!(code, "0A000");
    expect_usable(&pool).await;
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    assert_eq!(refusal(&listener.listen("news").await.unwrap_err()).0, "0A000");
    let mut connection = pool.acquire().await.unwrap();
    let error = connection.copy_in_raw("copy pg_class from stdin").await.map(drop).unwrap_err();
    assert_eq!(refusal(&error).0, "0A000");
    drop(connection);
    expect_usable(&pool).await;
}

#[tokio::test]
async fn several_statements_are_one_transaction_on_every_road() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        pool.execute("drop table if exists t; create table t (i int primary key)").await.unwrap();
        let error = pool.execute("insert into t values (1); insert into t values (1)").await.unwrap_err();
        assert_eq!(refusal(&error).0, "23505", "{road:?}");
        let count: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&pool).await.unwrap();
        assert_eq!(count, 0, "{road:?}");
    }
}

#[tokio::test]
async fn a_session_over_websocket_is_whole() {
    let stage = Stage::start();
    let pool = Road::WebSocket.pool(&stage).await;
    pool.execute("create table t (i int)").await.unwrap();

    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("insert into t values (1)").execute(&mut *transaction).await.unwrap();
    let mut nested = transaction.begin().await.unwrap();
    sqlx::query("insert into t values (2)").execute(&mut *nested).await.unwrap();
    nested.rollback().await.unwrap();
    transaction.commit().await.unwrap();
    let dropped = pool.begin().await.unwrap();
    drop(dropped);
    let kept: Vec<i32> = sqlx::query_scalar("select i from t").fetch_all(&pool).await.unwrap();
    assert_eq!(kept, [1]);

    let mut connection = pool.acquire().await.unwrap();
    let mut copy = connection.copy_in_raw("copy t from stdin").await.unwrap();
    copy.send("10\n20\n".as_bytes()).await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 2);
    drop(connection);

    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen("news").await.unwrap();
    sqlx::query("select pg_notify('news', 'hello')").execute(&pool).await.unwrap();
    assert_eq!(listener.recv().await.unwrap().payload(), "hello");
}

/// sqlx leaves what follows such an error unread, and would take each answer for that of the statement before.
#[tokio::test]
async fn a_refused_copy_out_never_shifts_the_answers() {
    let stage = Stage::start();
    let pool = Road::Http.pool(&stage).await;
    pool.execute("create table t (i int primary key); insert into t values (1)").await.unwrap();
    let error = pool.copy_out_raw("copy t to stdout").await.err().unwrap();
    assert_eq!(refusal(&error).0, "0A000");
    for _ in 0..3 {
        let error = sqlx::query("insert into t values (1)").execute(&pool).await.unwrap_err();
        assert_eq!(refusal(&error).0, "23505");
    }
}

#[tokio::test]
async fn another_role_needs_a_bridge_of_its_own() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let (options, _guard) = pgferry_sqlx::connect_options(road.config(&stage)).unwrap();
        let error = PgConnection::connect_with(&options.username("somebody_else")).await.unwrap_err();
        assert_eq!(refusal(&error).0, "28000", "{road:?}: {error}");
    }
}

#[tokio::test]
async fn a_result_that_cannot_be_converted_says_that_its_statement_has_run() {
    let stage = Stage::start();
    let pool = Road::Http.pool(&stage).await;
    pool.execute("create type mood as enum ('calm'); create table days (m mood)").await.unwrap();
    let error = sqlx::query("insert into days values ('calm') returning (m, 1)").execute(&pool).await.unwrap_err();
    let (code, message) = refusal(&error);
    assert_eq!(code, "08007", "{message}");
    assert!(message.contains("the statement has run"), "{message}");
    let error = sqlx::query("select (m, 1) from days").execute(&pool).await.unwrap_err();
    assert_eq!(refusal(&error).0, "0A000", "a statement that reads can be repeated: {error}");
    let moods: Vec<String> = sqlx::query_scalar("select m::text from days").fetch_all(&pool).await.unwrap();
    assert_eq!(moods, ["calm"]);
}
