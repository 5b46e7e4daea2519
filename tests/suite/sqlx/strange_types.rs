//! Types that others made or changed, met with a result: nothing tells of them before.

use std::ops::Bound;

use pgferry_sqlx::PgPoolOptionsExt;
use sqlx::{
    Column, Connection, PgConnection, PgPool, Row, TypeInfo,
    postgres::{PgPoolOptions, PgRow, types::PgRange},
};

use super::Road;
use pgferry_test_support::Stage;

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Happy,
    Sad,
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "place")]
struct Place {
    x: Option<i32>,
    note: Option<String>,
}

fn home() -> Place {
    Place { x: Some(7), note: Some("here".to_owned()) }
}

async fn pool(road: Road, stage: &Stage) -> PgPool {
    let options = PgPoolOptions::new().max_connections(1);
    match road {
        Road::Tcp => options.connect(&stage.postgres_url()).await.unwrap(),
        _ => options.connect_over(road.config(stage)).await.unwrap(),
    }
}

/// Adds columns of new types to a table that the bridge knows already.
const ADDED: &str = "create type mood as enum ('happy', 'sad'); create type place as (x int, note text);
    create type span as range (subtype = float8);
    alter table t add home place default row(7, 'here'), add moods mood[] default '{sad}', add s span default '[1,2)',
        add homes place[] default array[row(7, 'here')::place]";

async fn fetch(connection: &mut PgConnection, text: &'static str) -> PgRow {
    sqlx::query(text).fetch_one(connection).await.unwrap()
}

fn assert_is_read(row: &PgRow, road: Road) {
    assert_eq!(row.get::<Place, _>("home"), home(), "{road:?}");
    assert_eq!(row.get::<Vec<Mood>, _>("moods"), [Mood::Sad], "{road:?}");
    assert_eq!(row.get::<Vec<Place>, _>("homes"), [home()], "{road:?}");
    let span: PgRange<f64> = row.get_unchecked("s");
    assert_eq!(span, PgRange { start: Bound::Included(1.0), end: Bound::Excluded(2.0) }, "{road:?}");
}

/// Looks at a column in all the ways that make sqlx ask what kind of type it has.
fn is_decoded(row: &PgRow, column: &str) -> bool {
    let as_what_it_is_not = row.try_get::<String, _>(column).is_ok() || row.try_get::<Vec<String>, _>(column).is_ok();
    assert!(!as_what_it_is_not, "{column} is no text");
    let _ = row.column(column).type_info().kind();
    row.try_get::<Place, _>(column).is_ok()
        || row.try_get::<Vec<Place>, _>(column).is_ok()
        || row.try_get::<Vec<Mood>, _>(column).is_ok()
        || row.try_get_unchecked::<PgRange<f64>, _>(column).is_ok()
}

#[tokio::test]
async fn rows_with_types_that_nobody_told_of_arrive_and_their_connection_goes_on() {
    for road in Road::ALL {
        let stage = Stage::start();
        stage.psql("create table t (a int); insert into t values (5); grant all on t to public");
        let pool = pool(road, &stage).await;
        let mut connection = pool.acquire().await.unwrap();
        assert_eq!(fetch(&mut connection, "select a, 1 from t").await.get::<i32, _>("a"), 5);
        stage.psql(ADDED);
        let row = fetch(&mut connection, "select * from t").await;
        assert_eq!((row.get::<i32, _>("a"), row.len()), (5, 5), "{road:?}");
        for column in ["home", "moods", "s", "homes"] {
            assert_eq!(is_decoded(&row, column), road == Road::Tcp, "{road:?}: {column}");
        }
        // The next statement that is prepared brings them, and those before it profit.
        for text in ["select *, 2 as more from t", "select * from t"] {
            assert_is_read(&fetch(&mut connection, text).await, road);
        }
    }
}

#[tokio::test]
async fn a_transaction_in_which_such_rows_arrive_goes_on() {
    for road in Road::SESSIONS {
        let stage = Stage::start();
        stage.psql("create table t (a int); insert into t values (5); grant all on t to public");
        let pool = pool(road, &stage).await;
        let mut connection = pool.acquire().await.unwrap();
        assert_eq!(fetch(&mut connection, "select a, 1 from t").await.get::<i32, _>("a"), 5);
        stage.psql(ADDED);
        let mut transaction = connection.begin().await.unwrap();
        assert_eq!(fetch(&mut transaction, "select * from t").await.get::<i32, _>("a"), 5, "{road:?}");
        assert_is_read(&fetch(&mut transaction, "insert into t (a) values (9) returning *, 2 as more").await, road);
        transaction.commit().await.unwrap();
        assert_eq!(stage.psql("select count(*) from t"), "2", "{road:?}");
    }
}

#[tokio::test]
async fn a_pool_replaces_a_connection_that_misses_types() {
    for road in Road::ALL {
        let stage = Stage::start();
        stage.psql("create table t (a int); insert into t values (5); grant all on t to public");
        let pool = pool(road, &stage).await;
        sqlx::query("select a, 1 from t").fetch_one(&pool).await.unwrap();
        stage.psql(ADDED);
        let text = "insert into t (a) select 6 returning *";
        let first = sqlx::query(text).fetch_one(&pool).await.unwrap();
        assert_eq!(first.get::<i32, _>("a"), 6, "{road:?}");
        let read = "select * from t";
        for _ in 0..2 {
            assert_eq!(sqlx::query(read).fetch_one(&pool).await.unwrap().get::<i32, _>("a"), 5, "{road:?}");
        }
        assert_is_read(&sqlx::query(read).fetch_one(&pool).await.unwrap(), road);
        assert_is_read(&sqlx::query(text).fetch_one(&pool).await.unwrap(), road);
        assert_eq!(stage.psql("select count(*) from t"), "3", "{road:?}");
    }
}

#[tokio::test]
async fn a_connection_with_something_of_its_own_is_never_replaced() {
    for road in Road::SESSIONS {
        let stage = Stage::start();
        stage.psql("create table t (a int); insert into t values (5); grant all on t to public");
        let pool = pool(road, &stage).await;
        sqlx::query("set application_name = 'kept'").execute(&pool).await.unwrap();
        sqlx::query("select a, 1 from t").fetch_one(&pool).await.unwrap();
        stage.psql(ADDED);
        sqlx::query("select * from t").fetch_one(&pool).await.unwrap();
        let name: String = sqlx::query_scalar("show application_name").fetch_one(&pool).await.unwrap();
        assert_eq!(name, "kept", "{road:?}");
        assert_is_read(&sqlx::query("select *, 3 as more from t").fetch_one(&pool).await.unwrap(), road);
    }
}

#[tokio::test]
async fn types_made_anew_are_read_like_their_namesakes() {
    let make = "drop table if exists t; drop type if exists place, mood, span; create table t (a int); insert into t values (5);
        grant all on t to public;";
    for road in Road::ALL {
        let stage = Stage::start();
        let make_anew = || stage.psql(&format!("{make} {ADDED}"));
        make_anew();
        let pool = pool(road, &stage).await;
        let mut connection = pool.acquire().await.unwrap();
        assert_is_read(&fetch(&mut connection, "select * from t").await, road);
        for text in ["select *, 1 as more from t", "select *, 2 as more from t"] {
            make_anew();
            let row = fetch(&mut connection, text).await;
            assert_is_read(&row, road);
            let names: Vec<_> = row.columns().iter().map(|column| column.type_info().name()).collect();
            assert_eq!(names, ["INT4", "place", "mood[]", "span", "place[]", "INT4"], "{road:?}");
        }
    }
}

/// What was written is not written again for them, and whoever executes the statement next has it described by the server.
#[tokio::test]
async fn a_statement_that_writes_teaches_that_there_are_new_types() {
    for road in Road::ALL {
        let stage = Stage::start();
        stage.psql("create table t (a int); grant all on t to public");
        // Its bridge has others as well.
        let pool = pool(road, &stage).await;
        let options = pool.connect_options();
        let connect = || PgConnection::connect_with(&options);
        let (mut first, mut second) = tokio::try_join!(connect(), connect()).unwrap();
        for connection in [&mut first, &mut second] {
            sqlx::query("select a from t").execute(connection).await.unwrap();
        }
        stage.psql(ADDED);
        let text = "insert into t values (1) returning *";
        let row = fetch(&mut first, text).await;
        assert_eq!((row.get::<i32, _>("a"), row.len()), (1, 5), "{road:?}");
        assert_eq!(is_decoded(&row, "home"), road == Road::Tcp, "{road:?}");
        assert_is_read(&fetch(&mut second, text).await, road);
        assert_eq!(stage.psql("select count(*) from t"), "2", "{road:?}");
    }
}

/// Natively, sqlx goes on by what it learnt of a type first.
#[tokio::test]
async fn a_composite_type_that_was_altered_is_read_as_before() {
    for road in Road::ALL {
        let stage = Stage::start();
        stage.psql("create table t (a int); insert into t values (5); grant all on t to public");
        stage.psql(ADDED);
        stage.psql("grant all on schema public to public");
        let pool = pool(road, &stage).await;
        let mut connection = pool.acquire().await.unwrap();
        let read: Place = fetch(&mut connection, "select home from t").await.get(0);
        assert_eq!(read, home(), "{road:?}");
        stage.psql("alter type place add attribute more int cascade");
        let read: Place = fetch(&mut connection, "select home, 2 from t").await.get(0);
        assert_eq!(read, home(), "{road:?}");
        // Now the bridge looks at the types anew, and finds it.
        sqlx::query("create type later as enum ('a')").execute(&mut *connection).await.unwrap();
        let read: Place = fetch(&mut connection, "select home, 3 from t").await.get(0);
        assert_eq!(read, home(), "{road:?}");
        stage.psql("alter type place drop attribute note cascade");
        let row = fetch(&mut connection, "select home, 4 from t").await;
        assert!(row.try_get::<Place, _>(0).is_err(), "{road:?}");
        assert_eq!(row.get::<i32, _>(1), 4, "{road:?}");
    }
}

/// Only the result tells of it, so that another connection would fare no better.
#[tokio::test]
async fn a_pool_keeps_a_connection_that_nobody_can_tell_more() {
    let stage = Stage::start();
    let pool = pool(Road::WebSocket, &stage).await;
    let process = "select pg_backend_pid() as process, int4multirange(int4range(1, 2)) as m";
    let first = sqlx::query(process).fetch_one(&pool).await.unwrap();
    assert!(!is_decoded(&first, "m"));
    let second = sqlx::query(process).fetch_one(&pool).await.unwrap();
    assert_eq!(first.get::<i32, _>("process"), second.get::<i32, _>("process"));
}

/// sqlx has no word for a multirange, and fails when it prepares a statement that gives one.
#[tokio::test]
async fn what_sqlx_cannot_be_told_of_fails_as_natively() {
    for road in Road::ALL {
        let stage = Stage::start();
        stage.psql(
            "create table r (a int, m int4multirange); insert into r values (1, '{[1,2)}'); grant all on r to public",
        );
        let pool = pool(road, &stage).await;
        let mut connection = pool.acquire().await.unwrap();
        for text in ["select '{[1,2)}'::int4multirange", "select * from r"] {
            let error = sqlx::query(text).fetch_one(&mut *connection).await.err();
            let error = error.unwrap_or_else(|| panic!("{road:?}: {text}"));
            assert!(matches!(error, sqlx::Error::ColumnDecode { .. }), "{road:?}: {text}: {error}");
        }
        assert_eq!(fetch(&mut connection, "select a from r").await.get::<i32, _>(0), 1, "{road:?}");
    }
}
