//! Statements that are ended before their time, and what is left then.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use pgferry_embedded::Embedded;
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use sqlx::{Connection, Executor, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::spawn_blocking,
    time::timeout,
};

use crate::{code, connect, options, start, text};

/// Bounds what would go on for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody gets a turn where a statement runs that does not end.
const BUSY: Duration = Duration::from_secs(2);
const ENDLESS: &str = "select pg_sleep(1000)::text";

/// Waits until a statement runs that does not end.
async fn wait_until_busy(server: &Embedded) -> Result<()> {
    for _ in 0..100 {
        let ask = async { text(&mut connect(server).await?, "select 'free'").await.map_err(anyhow::Error::from) };
        match timeout(BUSY, ask).await {
            Ok(free) => drop(free?),
            Err(_) => return Ok(()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("nothing runs")
}

async fn expect_free(server: &Embedded) -> Result<()> {
    let ask = async { anyhow::Ok(text(&mut connect(server).await?, "select 'free'").await?) };
    ensure!(timeout(PATIENCE, ask).await??.as_deref() == Some("free"));
    Ok(())
}

fn psql(server: &Embedded, statements: &[&str]) -> Result<Child> {
    let mut command = Command::new("psql");
    command.args(["-X", "-A", "-t"]).env("PGPASSWORD", server.password());
    command.arg(format!("postgresql://{}@{}/{}", server.user(), server.address(), server.database()));
    for statement in statements {
        command.args(["-c", statement]);
    }
    Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_cancels_a_statement_and_other_sessions_go_on() -> Result<()> {
    let server = start()?;
    let mut other = connect(&server).await?;
    other.execute("set timezone = 'Asia/Tokyo'; prepare mine as select 'mine'").await?;
    let psql = psql(&server, &[ENDLESS])?;
    wait_until_busy(&server).await?;
    ensure!(Command::new("kill").args(["-s", "INT", &psql.id().to_string()]).status()?.success());
    let output = timeout(PATIENCE, spawn_blocking(|| psql.wait_with_output())).await???;
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("ERROR:  canceling statement due to user request"), "{said}");
    assert_eq!(text(&mut other, "select current_setting('TimeZone')").await?.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(text(&mut other, "execute mine").await?.as_deref(), Some("mine"));
    Ok(())
}

#[tokio::test]
async fn a_statement_of_which_the_client_has_gone_holds_nobody_up() -> Result<()> {
    let server = start()?;
    connect(&server).await?.execute("create table t as select 'kept' as word").await?;
    // The second needs more memory than there is.
    for endless in [ENDLESS, "select length(repeat('x', 1000000000))::text"] {
        let mut session = connect(&server).await?;
        let ended = timeout(BUSY, text(&mut session, endless)).await;
        drop(session);
        expect_free(&server).await?;
        assert!(ended.is_err(), "{endless} ended: {ended:?}");
    }
    assert_eq!(text(&mut connect(&server).await?, "select word from t").await?.as_deref(), Some("kept"));
    Ok(())
}

#[tokio::test]
async fn a_client_that_sends_what_is_no_message_holds_nobody_up() -> Result<()> {
    let server = start()?;
    let mut stream = TcpStream::connect(server.address()).await?;
    stream.write_all(b"\0\0\0\x1f\0\x03\0\0user\0app\0database\0app\0\0").await?;
    let password = [server.password().as_bytes(), b"\0"].concat();
    let length = u32::try_from(password.len() + 4)?.to_be_bytes();
    stream.write_all(&[b"p", &length[..], &password].concat()).await?;
    // Parse, Bind, Execute, Flush.
    stream.write_all(b"P\0\0\0\x1d\0select pg_sleep(1000)\0\0\0B\0\0\0\x0c\0\0\0\0\0\0\0\0").await?;
    stream.write_all(b"E\0\0\0\x09\0\0\0\0\0H\0\0\0\x04").await?;
    wait_until_busy(&server).await?;
    stream.write_all(b"S\0\0\0\x01").await?;
    expect_free(&server).await?;
    let mut told = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut told)).await??;
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("FATAL") && told.contains("54000"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_request_over_http_that_is_dropped_holds_nobody_up() -> Result<()> {
    let server = start()?;
    let gateway = Gateway::bind(GatewayConfig::new(Upstream::new("127.0.0.1", server.address().port()))).await?;
    let login = format!("postgresql://{}:{}@localhost/{}", server.user(), server.password(), server.database());
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "2", "-H"]).arg(format!("Neon-Connection-String: {login}"));
    curl.arg("-d").arg(format!("{{\"query\": \"{ENDLESS}\"}}")).arg(gateway.http_url());
    let output = timeout(PATIENCE, spawn_blocking(move || curl.output())).await???;
    // Its own time is over.
    assert_eq!(output.status.code(), Some(28), "{output:?}");
    expect_free(&server).await
}

#[tokio::test]
async fn statement_timeout_ends_a_statement_and_leaves_the_session() -> Result<()> {
    let server = start()?;
    let (mut session, mut other) = (connect(&server).await?, connect(&server).await?);
    session.execute("create table t (id int); set timezone = 'Asia/Tokyo'; set statement_timeout = '1s'").await?;
    other.execute("set app.mine = '1'").await?;
    for _ in 0..2 {
        let error = timeout(PATIENCE, text(&mut session, ENDLESS)).await?.unwrap_err();
        assert_eq!(code(&error), "57014");
        assert!(error.to_string().contains("statement timeout"), "{error}");
        // A simple query, and an extended one whose statement is prepared already.
        let error = timeout(PATIENCE, session.execute(ENDLESS)).await?.unwrap_err();
        assert_eq!(code(&error), "57014");
    }
    let zone = "select current_setting('TimeZone')";
    assert_eq!(text(&mut session, zone).await?.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(text(&mut other, "select current_setting('app.mine')").await?.as_deref(), Some("1"));
    assert_eq!(text(&mut other, "select pg_sleep(1.5)::text").await?.as_deref(), Some(""));

    let mut transaction = session.begin().await?;
    transaction.execute("insert into t values (1)").await?;
    assert_eq!(code(&timeout(PATIENCE, transaction.execute(ENDLESS)).await?.unwrap_err()), "57014");
    assert_eq!(code(&transaction.execute("insert into t values (2)").await.unwrap_err()), "25P02");
    transaction.rollback().await?;
    let error = session.execute("begin; insert into t values (3); select pg_sleep(1000)").await.unwrap_err();
    assert_eq!(code(&error), "57014");
    assert_eq!(code(&text(&mut session, "select 'in it'").await.unwrap_err()), "25P02");
    session.execute("rollback").await?;
    assert_eq!(text(&mut session, "select count(*)::text from t").await?.as_deref(), Some("0"));
    Ok(())
}

#[tokio::test]
async fn statement_timeout_lasts_as_long_as_it_is_set_for() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    let mut transaction = session.begin().await?;
    transaction.execute("set local statement_timeout = '200ms'").await?;
    assert_eq!(code(&timeout(PATIENCE, text(&mut transaction, ENDLESS)).await?.unwrap_err()), "57014");
    transaction.rollback().await?;
    assert_eq!(text(&mut session, "select pg_sleep(0.5)::text").await?.as_deref(), Some(""));
    sqlx::query("select set_config($1, '200ms', false)").bind("statement_timeout").execute(&mut session).await?;
    assert_eq!(code(&timeout(PATIENCE, text(&mut session, ENDLESS)).await?.unwrap_err()), "57014");
    session.execute("reset all").await?;
    assert_eq!(text(&mut session, "select pg_sleep(0.5)::text").await?.as_deref(), Some(""));
    let options = options(&server).options([("statement_timeout", "200ms")]);
    let mut session = PgConnection::connect_with(&options).await?;
    assert_eq!(code(&timeout(PATIENCE, text(&mut session, ENDLESS)).await?.unwrap_err()), "57014");
    Ok(())
}

#[tokio::test]
async fn a_copy_that_nobody_goes_on_with_is_ended_and_leaves_the_session() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    session.execute("create table t (id int); set statement_timeout = '1s'").await?;
    let mut copy = session.copy_in_raw("copy t from stdin").await?;
    copy.send("1\n".as_bytes()).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(code(&timeout(PATIENCE, copy.finish()).await?.unwrap_err()), "57014");
    assert_eq!(text(&mut session, "select count(*)::text from t").await?.as_deref(), Some("0"));
    let mut copy = session.copy_in_raw("copy t from stdin").await?;
    copy.send("1\n".as_bytes()).await?;
    assert_eq!(copy.finish().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_session_that_loses_something_with_its_statement_is_told_what() -> Result<()> {
    let server = start()?;
    for (statement, named) in [
        ("create temporary table x (id int)", "temporary table"),
        ("begin; select pg_advisory_lock(1)", "advisory lock"),
    ] {
        let mut session = connect(&server).await?;
        session.execute("set statement_timeout = '1s'").await?;
        session.execute(statement).await?;
        let error = timeout(PATIENCE, text(&mut session, ENDLESS)).await?.unwrap_err();
        assert_eq!(code(&error), "57014");
        let shown = format!("{error:?}");
        assert!(shown.contains("Fatal") && shown.contains(named), "{shown}");
        assert!(text(&mut session, "select 'gone'").await.is_err());
        expect_free(&server).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_statement_that_runs_does_not_hold_up_the_end() -> Result<()> {
    let server = start()?;
    let directory = server.directory().to_owned();
    let mut session = connect(&server).await?;
    let mut idle = connect(&server).await?;
    let running = tokio::spawn(async move { text(&mut session, ENDLESS).await });
    wait_until_busy(&server).await?;
    timeout(PATIENCE, spawn_blocking(|| server.shutdown())).await???;
    assert_eq!(code(&running.await?.unwrap_err()), "57P01");
    assert_eq!(code(&text(&mut idle, "select 'idle'").await.unwrap_err()), "57P01");
    assert!(!directory.exists());
    Ok(())
}

#[tokio::test]
async fn large_rows_and_many_rows_come_whole() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    let large = timeout(PATIENCE, text(&mut session, "select repeat('x', 50000000)")).await??;
    assert_eq!(large.map(|text| text.len()), Some(50_000_000));
    let copy = psql(&server, &["copy (select i, 'row ' || i from generate_series(1, 200000) i) to stdout"])?;
    let output = timeout(PATIENCE, spawn_blocking(|| copy.wait_with_output())).await???;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let copied = String::from_utf8(output.stdout)?;
    assert_eq!(copied.lines().count(), 200_000);
    assert!(copied.ends_with("200000\trow 200000\n"));
    Ok(())
}
