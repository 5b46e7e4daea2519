//! Its start, its end, and what it takes in between.

use anyhow::Result;
use pgferry_embedded::{Embedded, Options};
use sqlx::{Connection, Executor, PgConnection};

use crate::{code, connect, elsewhere, options, start, text};

#[tokio::test]
async fn data_are_kept_and_temporary_ones_vanish() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("pgferry-embedded-test-{}", std::process::id()));
    let server = Embedded::start(elsewhere().data(&directory).password("sesame"))?;
    let mut session = connect(&server).await?;
    session.execute("create table t as select 'kept' as word").await?;
    // Still connected.
    server.shutdown()?;

    let server = Embedded::start(elsewhere().data(&directory))?;
    assert_ne!(server.password(), "sesame");
    assert_eq!(text(&mut connect(&server).await?, "select word from t").await?.as_deref(), Some("kept"));
    drop(server);
    std::fs::remove_file(directory.join("pgferry-embedded"))?;
    let error = Embedded::start(elsewhere().data(&directory)).unwrap_err().to_string();
    assert!(error.contains("is not empty"), "{error}");
    std::fs::remove_dir_all(&directory)?;

    let server = start()?;
    let temporary = server.directory().to_owned();
    assert!(temporary.exists());
    server.shutdown()?;
    assert!(!temporary.exists());
    Ok(())
}

#[test]
fn a_program_that_runs_no_engine_is_told_what_to_call() {
    // That of the tests.
    let error = Embedded::start(Options::new()).unwrap_err().to_string();
    assert!(error.contains("has to call pgferry_embedded::engine()"), "{error}");
}

#[tokio::test]
async fn who_may_not_log_in_is_told_why() -> Result<()> {
    let server = start()?;
    let cases = [
        (options(&server).password("wrong"), "28P01"),
        (options(&server).database("nowhere"), "3D000"),
        (options(&server).username("nobody"), "28000"),
        (options(&server).options([("no_such_setting", "1")]), "42704"),
        (options(&server).options([("work_mem", "much")]), "22023"),
    ];
    for (options, expected) in cases {
        let error = PgConnection::connect_with(&options).await.unwrap_err();
        assert_eq!(code(&error), expected, "{error}");
    }
    let shown = format!("{server:?}");
    assert!(!shown.contains(server.password()), "{shown}");
    Ok(())
}

#[tokio::test]
async fn other_databases_and_roles_can_be_made() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    session.execute("create database other").await?;
    session.execute("create role somebody login").await?;
    let mut other = PgConnection::connect_with(&options(&server).database("other").username("somebody")).await?;
    let who = "select concat_ws(' ', current_user, current_database())";
    assert_eq!(text(&mut session, who).await?.as_deref(), Some("app app"));
    assert_eq!(text(&mut other, who).await?.as_deref(), Some("somebody other"));
    Ok(())
}

#[tokio::test]
async fn a_backend_that_ends_is_started_again_on_the_same_data() -> Result<()> {
    let server = start()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    a.execute("create table t as select 'kept' as word").await?;
    text(&mut b, "select word from t").await?;
    a.execute("create function f(int) returns int language plpgsql as 'begin return f($1 + 1); end'").await?;
    assert!(text(&mut a, "select f(1)::text").await.is_err());
    assert_eq!(text(&mut b, "select word from t").await?.as_deref(), Some("kept"));
    assert_eq!(text(&mut connect(&server).await?, "select word from t").await?.as_deref(), Some("kept"));
    Ok(())
}

#[tokio::test]
async fn common_features_of_postgres_work() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    session
        .execute(
            "create type mood as enum ('sad', 'ok'); create type point2 as (x int, y int);
             create table t (id uuid primary key default gen_random_uuid(), a int, b int generated always as (a * 2) stored,
               m mood, p point2, j jsonb, l int[], at timestamptz default now());
             create function bump() returns trigger language plpgsql as 'begin new.a := new.a + 1; return new; end';
             create trigger bump before insert on t for each row execute function bump();
             insert into t (a, m, p, j, l) values (1, 'ok', (1, 2), '{\"k\": [1]}', array[1, 2])",
        )
        .await?;
    let row = "select concat_ws(' ', a, b, m, p, j -> 'k', l) from t";
    assert_eq!(text(&mut session, row).await?.as_deref(), Some("2 4 ok (1,2) [1] {1,2}"));
    let hour = "select (timestamptz '2024-07-01 00:00Z' at time zone 'Europe/Berlin')::text";
    assert_eq!(text(&mut session, hour).await?.as_deref(), Some("2024-07-01 02:00:00"));
    assert_eq!(text(&mut session, "explain (costs off) select 1").await?.as_deref(), Some("Result"));
    Ok(())
}

#[tokio::test]
async fn extensions_are_there_to_be_created() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    assert_eq!(
        text(&mut session, "select string_agg(extname, ' ') from pg_extension").await?.as_deref(),
        Some("plpgsql")
    );
    session.execute("create extension citext; create extension hstore; create extension pg_trgm").await?;
    let mut admin = PgConnection::connect_with(&options(&server).username("postgres")).await?;
    admin.execute("create extension vector").await?;
    let used = "select concat_ws(' ', 'A'::citext = 'a', 'a=>1'::hstore, similarity('a', 'a'), '[1,2]'::vector)";
    assert_eq!(text(&mut session, used).await?.as_deref(), Some("t \"a\"=>\"1\" 1 [1,2]"));
    Ok(())
}
