//! Types that another client makes while a connection is open.

use std::time::Duration;

use pgferry_sqlx::PgPoolOptionsExt;
use sqlx::{
    Connection, PgConnection, PgPool, Row,
    postgres::{PgPoolOptions, PgQueryResult},
};

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

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Happy,
    Sad,
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "place")]
struct Place {
    x: i32,
    feeling: Mood,
}

const MOODS: &str = "create type mood as enum ('happy', 'sad'); create type place as (x int, feeling mood);
    create table homes (a int, feeling mood, home place); insert into homes values (1, 'sad', '(2,happy)');
    grant all on homes to public";

async fn only_connection(road: Road, stage: &Stage) -> PgPool {
    let options = PgPoolOptions::new().max_connections(1);
    match road {
        Road::Tcp => options.connect(&stage.postgres_url()).await.unwrap(),
        _ => options.connect_over(road.config(stage)).await.unwrap(),
    }
}

/// sqlx asks for types when it prepares a statement, so whatever the text names must be known by then.
#[tokio::test]
async fn what_a_new_statement_names_is_known_however_new_it_is() {
    for road in Road::ALL {
        let stage = Stage::start();
        let pool = only_connection(road, &stage).await;
        for text in ["select 1", "select relname from pg_class limit 1"] {
            sqlx::query(text).execute(&pool).await.unwrap();
        }
        stage.psql(MOODS);
        let place: Place = sqlx::query_scalar("select row(1, 'sad')::place").fetch_one(&pool).await.unwrap();
        assert_eq!(place, Place { x: 1, feeling: Mood::Sad }, "{road:?}");
        let moods: Vec<Mood> = sqlx::query_scalar("select array['sad']::mood[]").fetch_one(&pool).await.unwrap();
        assert_eq!(moods, [Mood::Sad], "{road:?}");
        stage.psql(
            "create table more as select * from homes; grant all on more to public; create type hue as enum ('red')",
        );
        let (_, feeling, home): (i32, Mood, Place) =
            sqlx::query_as("select * from more").fetch_one(&pool).await.unwrap();
        assert_eq!((feeling, home), (Mood::Sad, Place { x: 2, feeling: Mood::Happy }), "{road:?}");
        let hue = sqlx::query("select 'red'::hue").fetch_one(&pool).await.unwrap();
        assert_eq!(hue.get_unchecked::<String, _>(0), "red", "{road:?}");
    }
}

/// No text tells of it, and enums need no telling: their rows arrive, whoever made them.
#[tokio::test]
async fn an_enum_that_was_made_anew_arrives() {
    for road in Road::ALL {
        let stage = Stage::start();
        stage.psql(MOODS);
        let pool = only_connection(road, &stage).await;
        let mood: Mood = sqlx::query_scalar("select $1").bind(Mood::Happy).fetch_one(&pool).await.unwrap();
        assert_eq!(mood, Mood::Happy, "{road:?}");
        let make_anew = || stage.psql(&format!("drop table homes; drop type place; drop type mood; {MOODS}"));
        make_anew();
        for text in ["select 'happy'::mood", "select 'happy'::mood as again"] {
            let mood: Mood = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
            assert_eq!(mood, Mood::Happy, "{road:?}: {text}");
        }
        make_anew();
        let many: Vec<Mood> =
            sqlx::query_scalar("select 'sad'::mood from generate_series(1, 2000)").fetch_all(&pool).await.unwrap();
        assert!(many.len() == 2000 && many.iter().all(|mood| *mood == Mood::Sad), "{road:?}");
        make_anew();
        if road != Road::Http {
            let mut transaction = pool.begin().await.unwrap();
            let mood: Mood =
                sqlx::query_scalar("select feeling from homes").fetch_one(&mut *transaction).await.unwrap();
            assert_eq!(mood, Mood::Sad, "{road:?}");
            transaction.commit().await.unwrap();
        }
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

fn code_of(result: sqlx::Result<PgQueryResult>) -> String {
    let error = result.unwrap_err().into_database_error().unwrap();
    error.code().unwrap_or_default().into_owned()
}

/// Nobody may take it for a refusal and send the statement again. What the text does not show, a function's declaration may.
#[tokio::test]
async fn a_result_refused_behind_a_function_is_told_by_what_may_write() {
    let stage = Stage::start();
    stage.psql(
        "create table notes (a int); grant all on notes to public;
         create function note() returns int language sql as 'insert into notes values (1) returning a';
         create function look() returns int stable language sql as 'select 1'",
    );
    let (http, auto) = (Road::Http.pool(&stage).await, Road::Auto.pool(&stage).await);
    assert_eq!(code_of(sqlx::query("select (count(*), 1) from notes").execute(&http).await), "0A000");
    for pool in [&http, &auto] {
        assert_eq!(code_of(sqlx::query("select (note(), 1)").execute(pool).await), "08007");
    }
    assert_eq!(stage.psql("select count(*) from notes"), "2");
    // It is read again over a session.
    sqlx::query("select (look(), 1)").execute(&auto).await.unwrap();
}

#[tokio::test]
async fn a_text_that_writes_costs_no_look_at_the_types() {
    let stage = Stage::start();
    stage.psql("create table t (a int); grant all on t to public");
    let proxy = Proxy::start(stage.gateway().address(), Duration::ZERO).unwrap();
    let config = Road::Http.config(&stage).http_url(format!("http://{}/sql", proxy.address()));
    let (options, _guard) = pgferry_sqlx::connect_options(config).unwrap();
    let mut first = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query("select 1").execute(&mut first).await.unwrap();
    let mut second = PgConnection::connect_with(&options).await.unwrap();
    let texts = [
        ("insert into t values (1) returning a", 1),
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
