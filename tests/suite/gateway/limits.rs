//! How many connections a gateway opens, and what becomes of those that find none.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::{join_all, try_join_all};
use pgferry::wire::{Client, Startup};
use pgferry_gateway::WsAuth;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Fixture, PATIENCE, answer, wait_for};

/// How many connections the server has of a role that only one test uses.
async fn expect_connections(fixture: &Fixture, role: &str, count: &str) -> Result<()> {
    let query = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    wait_for(fixture.postgres, &query, count).await
}

fn new_role(fixture: &Fixture, role: &str) -> Result<()> {
    fixture.postgres.psql(&format!("CREATE ROLE {role} LOGIN PASSWORD 'sesame'"))?;
    Ok(())
}

fn url(fixture: &Fixture, role: &str) -> String {
    fixture.postgres.url_for(role, "sesame", "app")
}

fn startup(role: &str) -> Result<Startup> {
    Ok(Startup::new(role, "password".parse()?).database("app").password("sesame"))
}

#[tokio::test]
async fn sessions_are_refused_and_requests_never() -> Result<()> {
    let config =
        |timeout| move |config: pgferry_gateway::GatewayConfig| config.max_connections(20).queue_timeout(timeout);
    let fixture = Fixture::start_with(config(Duration::from_secs(20))).await?;
    new_role(&fixture, "crowd")?;
    let most = tokio::spawn(most_connections(fixture.postgres, "crowd"));
    let (startup, url) = (startup("crowd")?, url(&fixture, "crowd"));
    let sessions = async {
        let connect = async || Client::connect(fixture.websocket().await.ok()?, &startup).await.ok();
        let first = join_all((0..15).map(|_| connect())).await;
        let late = timeout(Duration::from_millis(500), join_all((0..85).map(|_| connect()))).await;
        (first, late.is_err())
    };
    let requests = try_join_all((0..100).map(async |_| {
        for _ in 0..5 {
            let request = fixture.request_as(&url, &json!({ "query": "SELECT 1 FROM pg_sleep(0.01)" }));
            let (status, body) = answer(request.send().await?).await?;
            anyhow::ensure!(status == 200, "{status}: {body}");
        }
        anyhow::Ok(())
    }));
    let ((sessions, queued), requests) = tokio::join!(sessions, requests);
    requests?;
    assert_eq!(sessions.iter().flatten().count(), 15, "sessions have three quarters");
    assert!(queued, "the others wait");
    most.abort();
    let most = MOST.load(std::sync::atomic::Ordering::SeqCst);
    assert!((16..=20).contains(&most), "{most} connections");
    Ok(())
}

static MOST: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Notes the most connections that the server ever has of a role.
async fn most_connections(postgres: &'static pgferry_test_support::Postgres, role: &'static str) {
    let query = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    loop {
        let query = query.clone();
        let count = tokio::task::spawn_blocking(move || postgres.psql(&query)).await;
        if let Ok(Ok(count)) = count
            && let Ok(count) = count.parse()
        {
            MOST.fetch_max(count, std::sync::atomic::Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_session_that_waits_in_vain_is_told_what_to_do() -> Result<()> {
    for (ws_auth, method) in [(WsAuth::Cleartext, "password"), (WsAuth::Relay, "scram-sha-256")] {
        let short = Duration::from_millis(100);
        let fixture =
            Fixture::start_with(|config| config.max_connections(4).queue_timeout(short).ws_auth(ws_auth)).await?;
        let startup = fixture.startup(method)?;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(Client::connect(fixture.websocket().await?, &startup).await?);
        }
        let error = Client::connect(fixture.websocket().await?, &startup).await.err().context("a fourth")?;
        let told = error.as_db_error().context("no error of Postgres's")?;
        assert_eq!(told.code().map(|code| code.as_str()), Some("53300"));
        assert_eq!(told.severity, "FATAL");
        assert!(told.message.contains("max_connections is 4"), "{told:?}");
        assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("--max-connections")), "{told:?}");
        assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]), "requests keep theirs");
        sessions.pop().context("no session")?.close().await?;
        // The gateway gives the place back when it has seen the goodbye.
        let mut again = Client::connect(fixture.websocket().await?, &startup).await;
        for _ in 0..50 {
            if again.is_ok() {
                break;
            }
            again = Client::connect(fixture.websocket().await?, &startup).await;
        }
        again?;
    }
    Ok(())
}

#[tokio::test]
async fn a_session_waits_for_its_turn() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_connections(1)).await?;
    let startup = fixture.startup("password")?;
    let first = Client::connect(fixture.websocket().await?, &startup).await?;
    let second = Client::connect(fixture.websocket().await?, &startup);
    tokio::pin!(second);
    tokio::select! {
        second = &mut second => anyhow::bail!("two at once: {second:?}"),
        () = tokio::time::sleep(Duration::from_millis(200)) => {}
    }
    first.close().await?;
    let mut second = second.await?;
    second.ping().await?;
    Ok(())
}

#[tokio::test]
async fn who_leaves_the_queue_holds_up_nobody() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_connections(1)).await?;
    let startup = fixture.startup("password")?;
    let first = Client::connect(fixture.websocket().await?, &startup).await?;
    for _ in 0..3 {
        let impatient = Client::connect(fixture.websocket().await?, &startup);
        assert!(timeout(Duration::from_millis(100), impatient).await.is_err());
    }
    first.close().await?;
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]));
    Ok(())
}

#[tokio::test]
async fn a_request_that_waits_in_vain_may_be_repeated() -> Result<()> {
    let short = Duration::from_millis(100);
    let fixture = Fixture::start_with(|config| config.max_connections(1).queue_timeout(short)).await?;
    let session = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    let (status, body) = fixture.failure("SELECT 1").await?;
    assert_eq!(
        (status, &body["message"], &body["code"]),
        (500, &json!("Too many connections to this endpoint. Please try again later."), &json!(""))
    );
    drop(session);
    Ok(())
}

#[tokio::test]
async fn idle_connections_give_way_to_others() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_connections(2)).await?;
    for role in ["way_a", "way_b", "way_c"] {
        new_role(&fixture, role)?;
    }
    let ask = async |role: &str| {
        let request = fixture.request_as(&url(&fixture, role), &json!({ "query": "SELECT 1" }));
        anyhow::Ok(answer(request.send().await?).await?.0)
    };
    for role in ["way_a", "way_b", "way_a", "way_c"] {
        assert_eq!(ask(role).await?, 200, "{role}");
    }
    // The one that was idle for longest went.
    for (role, connections) in [("way_a", "1"), ("way_b", "0"), ("way_c", "1")] {
        expect_connections(&fixture, role, connections).await?;
    }
    let _session = Client::connect(fixture.websocket().await?, &startup("way_b")?).await?;
    for (role, connections) in [("way_a", "0"), ("way_b", "1"), ("way_c", "1")] {
        expect_connections(&fixture, role, connections).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_role_has_a_limit_of_its_own() -> Result<()> {
    let short = Duration::from_millis(100);
    let fixture = Fixture::start_with(|config| config.max_connections_per_role(2).queue_timeout(short)).await?;
    new_role(&fixture, "narrow")?;
    let narrow = startup("narrow")?;
    let _session = Client::connect(fixture.websocket().await?, &narrow).await?;
    let error = Client::connect(fixture.websocket().await?, &narrow).await.err().context("a second session")?;
    assert!(error.to_string().contains("max_connections_per_role is 2"), "{error}");
    let request = fixture.request_as(&url(&fixture, "narrow"), &json!({ "query": "SELECT 1" }));
    assert_eq!(answer(request.send().await?).await?.0, 200);
    // Another database of the same role takes the place of the idle one.
    let elsewhere = fixture.postgres.url_for("narrow", "sesame", "postgres");
    let request = fixture.request_as(&elsewhere, &json!({ "query": "SELECT current_database()" }));
    let (status, body) = answer(request.send().await?).await?;
    assert_eq!((status.as_u16(), &body["rows"]), (200, &json!([["postgres"]])));
    expect_connections(&fixture, "narrow", "2").await?;
    Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    Ok(())
}

#[tokio::test]
async fn memory_for_requests_is_bounded() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_request_memory(1024 * 1024)).await?;
    let text = "x".repeat(2 * 1024 * 1024);
    let large = json!({ "query": "SELECT length($1)", "params": [text] });
    // Small values take a multiple of their text.
    let many = json!({ "queries": vec![json!({ "query": "", "params": vec![1; 30_000] }); 2] });
    for body in [large, many] {
        let (status, body) = answer(fixture.request(&body).send().await?).await?;
        assert_eq!(status, 503, "{body}");
        assert!(body["message"].as_str().is_some_and(|message| message.contains("--max-request-memory")), "{body}");
        assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]), "what was taken was not given back");
    }
    Ok(())
}

/// Sends a head that announces so much, and the first of its body.
async fn begin(fixture: &Fixture, url: &str, announced: usize, first: usize) -> Result<TcpStream> {
    let mut tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Connection-String: {url}\r\nContent-Length: {announced}\r\n\r\n"
    );
    tcp.write_all(head.as_bytes()).await?;
    tcp.write_all(&vec![b' '; first]).await?;
    Ok(tcp)
}

#[tokio::test]
async fn strangers_take_no_memory_from_others() -> Result<()> {
    const MIB: usize = 1024 * 1024;
    let fixture = Fixture::start_with(|config| config.max_request_memory(8 * MIB)).await?;
    let stranger = fixture.postgres.url_for("app", "0pen-sesame", "app");
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(begin(&fixture, &stranger, 2 * MIB, 2 * MIB - 1).await?);
    }
    for _ in 0..200 {
        open.push(begin(&fixture, &stranger, 60_000, 59_000).await?);
    }
    // What was sent has been read when the answer to what came later is there.
    for _ in 0..20 {
        assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let large = json!({ "query": "SELECT length($1)", "params": ["x".repeat(MIB)] });
    let (status, body) = answer(fixture.request(&large).send().await?).await?;
    assert_eq!((status.as_u16(), &body["rows"]), (200, &json!([["1048576"]])), "{body}");

    // Who sends all of it hears why it was not taken.
    let mut tcp = begin(&fixture, &stranger, 2 * MIB, 2 * MIB).await?;
    let mut heard = [0; 512];
    let length = timeout(PATIENCE, tcp.read(&mut heard)).await.context("no answer")??;
    assert!(String::from_utf8_lossy(&heard[..length]).starts_with("HTTP/1.1 400 "));
    Ok(())
}

#[tokio::test]
async fn what_came_fast_pays_for_no_slowness_behind_it() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.client_timeout(Duration::from_secs(1))).await?;
    let mut tcp = begin(&fixture, &fixture.postgres.url(), 8_000_000, 4_000_000).await?;
    let mut heard = [0; 512];
    let slow = async {
        loop {
            tokio::select! {
                length = tcp.read(&mut heard) => return length,
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
            tcp.write_all(b" ").await?;
        }
    };
    let length = timeout(PATIENCE, slow).await.context("it is read for minutes")??;
    assert!(String::from_utf8_lossy(&heard[..length]).starts_with("HTTP/1.1 408 "));
    Ok(())
}

#[tokio::test]
async fn the_tree_of_an_object_counts() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_request_memory(16 * 1024 * 1024)).await?;
    let keys = |count: u32| (0..count).map(|key| format!(r#""{key}":0"#)).collect::<Vec<_>>().join(",");
    for (count, expected) in [(300_000, 503), (10_000, 200)] {
        let body = format!(r#"{{"query":"SELECT length($1)","params":[{{{}}}]}}"#, keys(count));
        let request = fixture.request(&json!(null)).body(body);
        let (status, body) = answer(request.send().await?).await?;
        assert_eq!(status.as_u16(), expected, "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() -> Result<()> {
    let fixture = Fixture::start().await?;
    let request = || fixture.request(&json!({ "query": "SELECT 1" }));
    let response = request().header("X-Long", "x".repeat(100_000)).send().await?;
    assert_eq!(response.status(), 431);
    assert_eq!(request().header("X-Long", "x".repeat(30_000)).send().await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn clients_beyond_the_limit_wait() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_clients(1)).await?;
    let first = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    let request = fixture.rows("SELECT 1");
    tokio::pin!(request);
    tokio::select! {
        rows = &mut request => anyhow::bail!("two at once: {rows:?}"),
        () = tokio::time::sleep(Duration::from_millis(200)) => {}
    }
    first.close().await?;
    assert_eq!(request.await?, json!([["1"]]));
    Ok(())
}
