//! However a client leaves over HTTP, its query is cancelled. WebSockets are in `websocket`, unread answers in `streaming`.

use std::time::Duration;

use anyhow::Result;
use pgferry::{websocket::connect_on, wire::Client};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{Fixture, wait_for};

fn running(number: u32) -> String {
    format!("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600), {number}'")
}

/// Sends a query that sleeps, and returns its connection when it runs.
async fn ask(fixture: &Fixture, number: u32) -> Result<TcpStream> {
    let body = format!(r#"{{"query":"SELECT pg_sleep(600), {number}"}}"#);
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Connection-String: {}\r\nContent-Length: {}\r\n\r\n",
        fixture.postgres.url(),
        body.len()
    );
    let mut tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
    tcp.write_all(format!("{head}{body}").as_bytes()).await?;
    wait_for(fixture.postgres, &running(number), "1").await?;
    Ok(tcp)
}

#[tokio::test]
async fn by_a_reset() -> Result<()> {
    let fixture = Fixture::start().await?;
    let tcp = ask(&fixture, 4731).await?;
    socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO))?;
    drop(tcp);
    wait_for(fixture.postgres, &running(4731), "0").await
}

#[tokio::test]
async fn by_half() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut tcp = ask(&fixture, 4732).await?;
    tcp.shutdown().await?;
    wait_for(fixture.postgres, &running(4732), "0").await
}

#[tokio::test]
async fn by_a_stream_of_http2() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    fixture.client = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let request = fixture.request(&json!({ "query": "SELECT pg_sleep(600), 4733" }));
    let sent = tokio::spawn(request.send());
    wait_for(fixture.postgres, &running(4733), "1").await?;
    sent.abort();
    wait_for(fixture.postgres, &running(4733), "0").await?;
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]), "the connection is still there");
    Ok(())
}

#[tokio::test]
async fn while_it_waits_for_a_connection() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_connections(1)).await?;
    let first = ask(&fixture, 4734).await?;
    let waiting = fixture.request(&json!({ "query": "SELECT pg_sleep(600), 4735" })).send();
    assert!(tokio::time::timeout(Duration::from_millis(200), waiting).await.is_err());
    drop(first);
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]));
    Ok(())
}

#[tokio::test]
async fn with_more_sent_than_is_read() -> Result<()> {
    let fixture = Fixture::start().await?;
    for (number, more, linger) in [
        (4736, "\r\n", None),
        (4737, "\r\n", Some(Duration::ZERO)),
        (4738, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
    ] {
        let mut tcp = ask(&fixture, number).await?;
        tcp.write_all(more.as_bytes()).await?;
        socket2::SockRef::from(&tcp).set_linger(linger)?;
        drop(tcp);
        wait_for(fixture.postgres, &running(number), "0").await?;
    }
    Ok(())
}

#[tokio::test]
async fn with_more_sent_through_a_websocket_than_postgres_reads() -> Result<()> {
    let fixture = Fixture::start().await?;
    let tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
    socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO))?;
    let stream = connect_on(tcp, &fixture.gateway.ws_url().parse()?).await?;
    let mut client = Client::connect(stream, &fixture.startup("password")?).await?;
    client.queue_simple_query("SELECT pg_sleep(600), 4739").await?;
    let more = format!("SELECT '{}'", "x".repeat(1024 * 1024));
    for _ in 0..64 {
        client.queue_simple_query(&more).await?;
    }
    // It sends what it can.
    assert!(tokio::time::timeout(Duration::from_secs(2), client.ping()).await.is_err());
    wait_for(fixture.postgres, &running(4739), "1").await?;
    drop(client);
    wait_for(fixture.postgres, &running(4739), "0").await
}
