//! Clients that take nothing of what there is for them do not keep a query's connection.

use std::time::Duration;

use anyhow::Result;
use pgferry::wire::{Client, Event, Statement};
use pgferry_gateway::GatewayConfig;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{Fixture, wait_for};

fn impatient(config: GatewayConfig) -> GatewayConfig {
    config.client_timeout(Duration::from_millis(500)).max_connections(2)
}

fn query(number: u32) -> String {
    format!("SELECT generate_series(1, 100000000), repeat('x', 1000) AS unread_{number}")
}

async fn expect_running(fixture: &Fixture, number: u32, count: &str) -> Result<()> {
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT generate%unread_{number}' AND state = 'active'"
    );
    wait_for(fixture.postgres, &sessions, count).await
}

#[tokio::test]
async fn over_http1() -> Result<()> {
    let fixture = Fixture::start_with(impatient).await?;
    let body = json!({ "query": query(1) }).to_string();
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Connection-String: {}\r\nContent-Length: {}\r\n\r\n",
        fixture.postgres.url(),
        body.len()
    );
    let mut tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
    tcp.write_all(format!("{head}{body}").as_bytes()).await?;
    expect_running(&fixture, 1, "1").await?;
    expect_running(&fixture, 1, "0").await
}

#[tokio::test]
async fn over_http2() -> Result<()> {
    let mut fixture = Fixture::start_with(impatient).await?;
    fixture.client = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let response = fixture.request(&json!({ "query": query(2) })).send().await?;
    expect_running(&fixture, 2, "1").await?;
    expect_running(&fixture, 2, "0").await?;
    assert!(response.bytes().await.is_err(), "a part was taken for the whole");
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]));
    Ok(())
}

#[tokio::test]
async fn over_a_websocket() -> Result<()> {
    let fixture = Fixture::start_with(impatient).await?;
    let mut client = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    let text = query(3);
    let statement = Statement::new(&text);
    let mut execution = client.execute(&statement).await?;
    while !matches!(execution.next().await?, Some(Event::Row(_))) {}
    expect_running(&fixture, 3, "1").await?;
    expect_running(&fixture, 3, "0").await
}

#[tokio::test]
async fn a_session_with_nothing_to_say_stays() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.client_timeout(Duration::from_millis(100))).await?;
    let mut client = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    client.simple_query("LISTEN unread").await?.finish().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    fixture.rows("NOTIFY unread, 'news'").await?;
    // What comes with the answer of something else, at the latest.
    let mut news = Vec::new();
    for _ in 0..100 {
        client.ping().await?;
        news.extend(client.take_notifications());
        if !news.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(news.len(), 1);
    Ok(())
}
