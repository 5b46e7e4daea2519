//! What a session has is its own.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::{code, connect, options, start, start_impatient, text};

#[tokio::test]
async fn statements_of_the_same_name_are_each_sessions_own() -> Result<()> {
    let server = start()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    // Both are sqlx_s_1.
    for round in 0..3_i32 {
        assert_eq!(sqlx::query_scalar::<_, i32>("select $1 + 1").bind(round).fetch_one(&mut a).await?, round + 1);
        let other: String = sqlx::query_scalar("select 'b' || $1").bind(round.to_string()).fetch_one(&mut b).await?;
        assert_eq!(other, format!("b{round}"));
    }
    Ok(())
}

#[tokio::test]
async fn statements_of_sql_are_given_back() -> Result<()> {
    let server = start()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    a.execute("prepare mine as select 'a'").await?;
    b.execute("prepare mine as select 'b'").await?;
    let row: (String,) = sqlx::query_as("execute mine").persistent(false).fetch_one(&mut a).await?;
    assert_eq!(row.0, "a");
    b.execute("deallocate mine").await?;
    text(&mut a, "select ''").await?;
    assert_eq!(code(&b.execute("execute mine").await.unwrap_err()), "26000");
    Ok(())
}

#[tokio::test]
async fn settings_are_each_sessions_own() -> Result<()> {
    let server = start()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    a.execute("set timezone = 'Asia/Tokyo'; set search_path = pg_catalog, \"it's\"; set app.user_id = '7'").await?;
    assert_eq!(text(&mut b, "select current_setting('TimeZone')").await?.as_deref(), Some("UTC"));
    assert_eq!(text(&mut b, "select nullif(current_setting('app.user_id', true), '')").await?, None);
    sqlx::query("select set_config($1, $2, false)").bind("app.tenant").bind("nine").execute(&mut b).await?;
    let all = "select concat_ws('|', current_setting('TimeZone'), current_setting('search_path'), current_setting('app.user_id'))";
    assert_eq!(text(&mut a, all).await?.as_deref(), Some("Asia/Tokyo|pg_catalog, \"it's\"|7"));
    assert_eq!(text(&mut b, "select current_setting('app.tenant')").await?.as_deref(), Some("nine"));
    Ok(())
}

#[tokio::test]
async fn roles_are_each_sessions_own_and_outlive_a_reset() -> Result<()> {
    let server = start()?;
    let mut app = connect(&server).await?;
    let mut admin = sqlx::PgConnection::connect_with(&options(&server).username("postgres")).await?;
    let who = "select concat_ws(' ', session_user, current_user, current_setting('is_superuser'))";
    assert_eq!(text(&mut admin, who).await?.as_deref(), Some("postgres postgres on"));
    admin.execute("create role reader; grant reader to app").await?;
    for statement in ["discard all", "reset session authorization", "reset role", "reset all"] {
        app.execute(statement).await?;
        assert_eq!(text(&mut app, who).await?.as_deref(), Some("app app off"), "{statement}");
    }
    app.execute("set role reader").await?;
    assert_eq!(text(&mut admin, who).await?.as_deref(), Some("postgres postgres on"));
    assert_eq!(text(&mut app, who).await?.as_deref(), Some("app reader off"));
    Ok(())
}

#[tokio::test]
async fn what_a_session_opened_with_outlives_a_reset() -> Result<()> {
    let server = start()?;
    let options = options(&server).application_name("mine").options([("search_path", "pg_catalog")]);
    let mut session = sqlx::PgConnection::connect_with(&options).await?;
    session.execute("discard all").await?;
    let all = "select concat_ws('|', current_setting('application_name'), current_setting('search_path'))";
    assert_eq!(text(&mut session, all).await?.as_deref(), Some("mine|pg_catalog"));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_moved_keeps_others_out_until_it_is_gone() -> Result<()> {
    let server = start_impatient()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    let cases = [
        ("create temporary table x (id int)", "drop table x", "temporary table"),
        ("select pg_advisory_lock(1)", "select pg_advisory_unlock(1)", "advisory lock"),
        ("listen c", "unlisten c", "LISTEN"),
        ("declare c cursor with hold for select 1", "close c", "WITH HOLD"),
    ];
    for (statement, remedy, named) in cases {
        a.execute(AssertSqlSafe(statement)).await?;
        let error = text(&mut b, "select 'b'").await.unwrap_err();
        assert_eq!(code(&error), "55P03", "{statement}");
        let shown = format!("{:?}", error.as_database_error());
        assert!(shown.contains(named), "{shown}");
        assert_eq!(text(&mut a, "select 'a'").await?.as_deref(), Some("a"), "{statement}");
        a.execute(AssertSqlSafe(remedy)).await?;
        assert_eq!(text(&mut b, "select 'b'").await?.as_deref(), Some("b"), "{remedy}");
    }
    a.execute("create temporary table x (id int)").await?;
    assert_eq!(code(&text(&mut b, "select 'b'").await.unwrap_err()), "55P03");
    a.close().await?;
    assert_eq!(text(&mut b, "select to_regclass('x')::text").await?, None);
    Ok(())
}

#[tokio::test]
async fn what_came_with_a_prepare_runs_once() -> Result<()> {
    let server = start()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    a.execute("create table t (id int); insert into t values (1); prepare one as select 'one'").await?;
    a.execute("begin; insert into t values (2); prepare two as select 'two'; commit").await?;
    a.execute("prepare three as select 'three'; begin; insert into t values (3)").await?;
    a.execute("commit").await?;
    for _ in 0..3 {
        text(&mut b, "select 'b'").await?;
        assert_eq!(text(&mut a, "select count(*)::text from t").await?.as_deref(), Some("3"));
    }
    for (statement, expected) in [("execute one", "one"), ("execute two", "two"), ("execute three", "three")] {
        let row: (String,) = sqlx::query_as(statement).persistent(false).fetch_one(&mut a).await?;
        assert_eq!(row.0, expected);
    }
    Ok(())
}

#[tokio::test]
async fn settings_of_ones_own_outlive_texts_that_only_look_like_them() -> Result<()> {
    let server = start()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    for number in 0..65 {
        let look_alike = format!("select c{number}.relname from pg_class c{number} where relname = 'set' offset 0");
        a.execute(AssertSqlSafe(look_alike)).await?;
    }
    a.execute("set app.tenant = '5'; set transaction_timeout = '5s'").await?;
    text(&mut b, "select 'b'").await?;
    let all = "select concat_ws('|', current_setting('app.tenant', true), current_setting('transaction_timeout'))";
    assert_eq!(text(&mut a, all).await?.as_deref(), Some("5|5s"));
    Ok(())
}

#[tokio::test]
async fn more_settings_of_ones_own_than_are_looked_after_keep_others_out() -> Result<()> {
    let server = start_impatient()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    for number in 0..65 {
        a.execute(AssertSqlSafe(format!("set app.a{number} = 'x{number}'"))).await?;
    }
    let error = text(&mut b, "select 'b'").await.unwrap_err();
    assert_eq!(code(&error), "55P03");
    assert_eq!(text(&mut a, "select current_setting('app.a64')").await?.as_deref(), Some("x64"));
    a.close().await?;
    assert_eq!(text(&mut b, "select 'b'").await?.as_deref(), Some("b"));
    Ok(())
}
