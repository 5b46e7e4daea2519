//! Types that another client makes while a connection over HTTP is open.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};

use super::Road;
use pgferry_test_support::{Proxy, Stage};

#[tokio::test]
async fn a_statement_that_writes_gives_a_type_made_elsewhere() {
    for road in Road::ALL {
        let stage = Stage::start();
        let pool = road.pool(&stage).await;
        sqlx::query("select 1").execute(&pool).await.unwrap();
        stage.psql(
            "create type mood as enum ('sad'); create table m (a int, f mood); grant all on m to public;
             create type place as (x int, feeling mood); create table n (a int, home place); grant all on n to public",
        );
        let row = sqlx::query("insert into m values (1, 'sad') returning f").fetch_one(&pool).await.unwrap();
        assert_eq!(row.get_unchecked::<String, _>(0), "sad", "{road:?}");
        let row =
            sqlx::query("with new as (insert into n values (1, '(1,sad)') returning home) select (home).x from new")
                .fetch_one(&pool)
                .await
                .unwrap();
        assert_eq!(row.get::<i32, _>(0), 1, "{road:?}");
        let row = sqlx::query("update n set a = 2 returning home, n").fetch_one(&pool).await.unwrap();
        assert_eq!(row.len(), 2, "{road:?}");
        assert_eq!(stage.psql("select count(*) from m"), "1", "{road:?}");
        assert_eq!(stage.psql("select a from n"), "2", "{road:?}");
    }
}

#[tokio::test]
async fn the_row_type_of_a_table_made_of_a_query_is_known() {
    for road in Road::ALL {
        let stage = Stage::start();
        stage.psql("grant all on schema public to public");
        let pool = road.pool(&stage).await;
        sqlx::query("select 1").execute(&pool).await.unwrap();
        for made in ["create table c as select 1 as a, 'x'::text as b", "select 1 as a into d"] {
            sqlx::query(made).execute(&pool).await.unwrap();
        }
        for text in ["select c from c", "select d from d"] {
            assert_eq!(sqlx::query(text).fetch_one(&pool).await.unwrap().len(), 1, "{road:?}: {text}");
        }
    }
}

/// Nobody may take it for a refusal and send the statement again.
#[tokio::test]
async fn a_result_refused_behind_a_write_is_of_unknown_outcome() {
    let stage = Stage::start();
    stage.psql("create table t (a int); grant all on t to public");
    let pool = Road::Http.pool(&stage).await;
    let mut connection = pool.acquire().await.unwrap();
    let insert = "insert into t values (1) returning *";
    sqlx::query(insert).execute(&mut *connection).await.unwrap();
    // The text is known by now, so the type is met with the result.
    stage.psql("create type mood as enum ('sad'); alter table t add f mood default 'sad'");
    let error = sqlx::query(insert).execute(&mut *connection).await.err().unwrap();
    let error = error.as_database_error().unwrap();
    assert_eq!(error.code().as_deref(), Some("08007"), "{error}");
    assert_eq!(stage.psql("select count(*) from t"), "2");
}

#[tokio::test]
async fn a_text_that_writes_costs_a_look_once() {
    let stage = Stage::start();
    stage.psql("create table t (a int); grant all on t to public");
    let proxy = Proxy::start(stage.gateway().address(), Duration::ZERO).unwrap();
    let config = Road::Http.config(&stage).http_url(format!("http://{}/sql", proxy.address()));
    let (options, _guard) = pgferry_sqlx::connect_options(config).unwrap();
    let mut first = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query("select 1").execute(&mut first).await.unwrap();
    let mut second = PgConnection::connect_with(&options).await.unwrap();
    let texts = [
        ("insert into t values (1) returning a", 2),
        ("insert into t values (2)", 1),
        ("select a from t", 1),
        ("do $$ begin end $$", 1),
        ("select a + 1 from t", 1),
        ("insert into t values (1) returning a", 1),
    ];
    for (text, expected) in texts {
        let before = proxy.flights();
        sqlx::query(text).execute(&mut first).await.unwrap();
        assert_eq!(proxy.flights() - before, expected, "{text}");
    }
    for (text, _) in texts {
        let before = proxy.flights();
        sqlx::query(text).execute(&mut second).await.unwrap();
        assert_eq!(proxy.flights() - before, 1, "{text} on another connection");
    }
}
