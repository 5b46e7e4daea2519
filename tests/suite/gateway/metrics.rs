//! What a gateway says of itself.

use anyhow::{Context, Result};
use pgferry::wire::Client;
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use reqwest::header::HOST;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{Fixture, PATIENCE};

impl Fixture {
    async fn get(&self, path: &str) -> Result<(u16, String)> {
        let response = self.client.get(format!("http://{}{path}", self.gateway.local_addr())).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// The value of a series, once it is what is expected: a request is counted when its answer has been taken.
    async fn expect_metric(&self, series: &str, expected: &str) -> Result<()> {
        let mut seen = String::new();
        let polled = async {
            loop {
                seen = self.get("/metrics").await?.1;
                let value = seen.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
                if value == Some(expected) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let polled = timeout(PATIENCE, polled).await;
        polled.with_context(|| format!("{series} was never {expected}:\n{seen}"))?
    }
}

#[tokio::test]
async fn requests_and_connections_are_counted() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.metrics(true).max_connections(7)).await?;
    for _ in 0..3 {
        fixture.rows("SELECT 1").await?;
    }
    fixture.failure("SELECT nothing").await?;
    let wrong = fixture.postgres.url_for("app", "0pen-sesame", "app");
    fixture.request_as(&wrong, &json!({ "query": "SELECT 1" })).send().await?;
    let session = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    for (series, value) in [
        (r#"pgferry_gateway_requests_total{kind="sql",status="2xx"}"#, "3"),
        (r#"pgferry_gateway_requests_total{kind="sql",status="4xx"}"#, "2"),
        (r#"pgferry_gateway_request_duration_seconds_count{kind="sql"}"#, "5"),
        (r#"pgferry_gateway_upstream_connections{state="idle"}"#, "1"),
        (r#"pgferry_gateway_upstream_connections{state="in_use"}"#, "1"),
        (r#"pgferry_gateway_upstream_connections{state="waiting"}"#, "0"),
        ("pgferry_gateway_upstream_connections_limit", "7"),
        ("pgferry_gateway_sessions", "1"),
        ("pgferry_gateway_log_in_failures_total", "1"),
        ("pgferry_gateway_cancellations_total", "0"),
    ] {
        fixture.expect_metric(series, value).await?;
    }
    drop(session);
    fixture.expect_metric("pgferry_gateway_sessions", "0").await?;
    fixture.expect_metric("pgferry_gateway_sessions_opened_total", "1").await?;
    let (_, text) = fixture.get("/metrics").await?;
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("app") && !text.contains("SELECT") && !text.contains("sesame"), "{text}");
    Ok(())
}

#[tokio::test]
async fn metrics_are_for_those_who_ask_for_them() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (status, body) = fixture.get("/metrics").await?;
    assert_eq!(status, 404);
    assert!(body.contains("--metrics"), "{body}");
    Ok(())
}

#[tokio::test]
async fn health_is_that_of_the_upstream_too() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (status, body) = fixture.get("/health").await?;
    assert_eq!(
        (status, serde_json::from_str::<Value>(&body)?),
        (200, json!({ "status": "ok", "upstream": "reachable" }))
    );

    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let gateway = Gateway::bind(GatewayConfig::new(Upstream::new("127.0.0.1", port))).await?;
    let down = Fixture { gateway, ..fixture };
    let (status, body) = down.get("/health").await?;
    assert_eq!((status, serde_json::from_str::<Value>(&body)?["status"].as_str()), (503, Some("down")));
    assert!(!body.contains(&port.to_string()), "nobody has logged in: {body}");

    // The system takes connections for a server that does not.
    let stopped = TcpListener::bind("127.0.0.1:0").await?;
    let upstream = Upstream::new("127.0.0.1", stopped.local_addr()?.port());
    let down = Fixture { gateway: Gateway::bind(GatewayConfig::new(upstream)).await?, ..down };
    assert_eq!(down.get("/health").await?.0, 503);
    Ok(())
}

#[tokio::test]
async fn load_balancers_ask_for_the_health_by_address_or_no_name() -> Result<()> {
    let fixture = Fixture::start().await?;
    for head in ["GET /health HTTP/1.0\r\n", "GET /health HTTP/1.1\r\nHost: 192.0.2.2:4444\r\nConnection: close\r\n"] {
        let mut tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
        tcp.write_all(format!("{head}\r\n").as_bytes()).await?;
        let mut answer = String::new();
        timeout(PATIENCE, tcp.read_to_string(&mut answer)).await.context("no answer")??;
        assert!(answer.split(' ').nth(1) == Some("200"), "{head}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn pages_and_foreign_names_are_kept_out() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.metrics(true)).await?;
    for path in ["/metrics", "/health"] {
        let get = || fixture.client.get(format!("http://{}{path}", fixture.gateway.local_addr()));
        assert_eq!(get().header(HOST, "evil.example").send().await?.status(), 403, "{path}");
        assert_eq!(get().header("Origin", "https://evil.example").send().await?.status(), 403, "{path}");
        assert_eq!(get().send().await?.status(), 200, "{path}");
    }
    Ok(())
}
