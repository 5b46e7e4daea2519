//! What a page in a browser can do to a developer's database: nothing.

use anyhow::{Context, Result, ensure};
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use pgferry_test_support::Stage;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{Fixture, PATIENCE};

/// Requests as a browser sent them for hostile pages.
const RECORDED: &str = include_str!("chromium.http");

fn query(fixture: &Fixture) -> RequestBuilder {
    fixture.request(&json!({ "query": "SELECT 1" }))
}

fn upgrade(fixture: &Fixture) -> RequestBuilder {
    fixture
        .client
        .get(format!("http://{}/v2", fixture.gateway.local_addr()))
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn preflight(fixture: &Fixture, origin: &str) -> RequestBuilder {
    fixture
        .client
        .request(Method::OPTIONS, fixture.gateway.http_url())
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "neon-connection-string")
}

#[tokio::test]
async fn foreign_pages_are_kept_out() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.allow_origin("http://localhost:3000")).await?;
    for origin in ["https://evil.example", "null", "http://localhost:3001"] {
        for request in [query(&fixture), upgrade(&fixture), preflight(&fixture, origin)] {
            let response = request.header("Origin", origin).send().await?;
            assert_eq!(response.status(), 403, "{origin}");
            assert!(!response.headers().contains_key("access-control-allow-origin"), "{origin}");
        }
    }
    let response = query(&fixture).header("Origin", "http://localhost:3000").send().await?;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:3000");
    let response = preflight(&fixture, "http://localhost:3000").send().await?;
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:3000");
    assert!(response.headers()["access-control-allow-headers"].to_str()?.contains("Neon-Connection-String"));
    assert_eq!(upgrade(&fixture).header("Origin", "http://localhost:3000").send().await?.status(), 101);
    Ok(())
}

#[tokio::test]
async fn foreign_names_are_kept_out() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.allow_host("db.internal")).await?;
    for host in ["evil.example", "127.0.0.1.evil.example", "192.0.2.1"] {
        for request in [query(&fixture), upgrade(&fixture)] {
            assert_eq!(request.header("Host", host).send().await?.status(), 403, "{host}");
        }
    }
    for host in ["localhost", "api.localhost:4444", "127.0.0.1", "DB.internal:1"] {
        assert_eq!(query(&fixture).header("Host", host).send().await?.status(), 200, "{host}");
    }
    Ok(())
}

#[tokio::test]
async fn cors_is_off_unless_asked_for() -> Result<()> {
    let fixture = Fixture::start().await?;
    let response = query(&fixture).send().await?;
    assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control")));

    let open = Fixture::start_with(|config| config.allow_origin("*")).await?;
    for request in [query(&open).header("Origin", "null").header("Host", "anything.example"), preflight(&open, "null")]
    {
        let response = request.send().await?;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
    }
    Ok(())
}

#[tokio::test]
async fn plain_connections_from_elsewhere_are_asked_for_by_name() -> Result<()> {
    let config = || GatewayConfig::new(Upstream::new("localhost", 5432)).listen(([0, 0, 0, 0], 0).into());
    let refused = Gateway::bind(config()).await.err();
    assert!(refused.is_some_and(|error| error.is_refused() && error.message().contains("TLS")));
    let gateway = Gateway::bind(config().allow_plain(true)).await?;
    assert!(gateway.http_url().starts_with("http://localhost:"));
    Ok(())
}

#[tokio::test]
async fn other_servers_are_out_of_reach() -> Result<()> {
    let fixture = Fixture::start().await?;
    let request = |address: String| {
        let url = format!("http://{}/v2?address={address}", fixture.gateway.local_addr());
        let (client, request) = upgrade(&fixture).build_split();
        request.map(|mut request| {
            *request.url_mut() = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
            client.execute(request)
        })
    };
    assert_eq!(request("192.0.2.1:5432".into())?.await?.status(), 403);
    assert_eq!(request(format!("127.0.0.1:{}", fixture.postgres.port()))?.await?.status(), 101);
    Ok(())
}

/// A request of the recording, and the page that it came from.
struct Recorded {
    page: &'static str,
    request: &'static str,
}

impl Recorded {
    fn all() -> impl Iterator<Item = Self> {
        RECORDED.split("### ").skip(1).filter_map(|part| {
            let (page, request) = part.trim_end().split_once('\n')?;
            Some(Self { page, request })
        })
    }

    /// Sends it with more headers, and returns the status.
    async fn send(&self, stage: &Stage, more: &str) -> Result<u16> {
        let port = stage.gateway().address().port();
        // Any other port is one of another server.
        let request = self.request.replace("GATEWAY", &port.to_string()).replace("PAGE", "5173");
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse::<usize>().ok());
        let mut body = body.to_owned();
        while body.len() < length.unwrap_or(0) {
            body.push_str("\r\n");
        }
        let head = head.replace('\n', "\r\n");
        let mut tcp = BufReader::new(TcpStream::connect(stage.gateway().address()).await?);
        tcp.write_all(format!("{head}\r\n{more}\r\n{body}").as_bytes()).await?;
        let mut line = String::new();
        timeout(PATIENCE, tcp.read_line(&mut line)).await.context("no answer")??;
        line.split(' ').nth(1).with_context(|| format!("no status: {line}"))?.parse().context("no status")
    }
}

#[tokio::test]
async fn nothing_that_a_browser_sends_for_a_hostile_page_is_acted_on() -> Result<()> {
    let stage = Stage::start();
    stage.psql("create table t (n int); alter table t owner to app");
    // As if the browser had let the page name a header, and the page knew the password.
    let credentials = format!("Neon-Connection-String: {}\r\n", stage.postgres_url());
    let mut sent = 0;
    for recorded in Recorded::all() {
        for more in ["", &credentials] {
            let status = recorded.send(&stage, more).await?;
            let what = recorded.request.lines().next().unwrap_or_default();
            ensure!(status == 403, "{what} of {}: {status}", recorded.page);
            sent += 1;
        }
    }
    ensure!(sent > 100, "there are {sent} requests alone");
    ensure!(stage.psql("select count(*) from t") == "0", "a statement ran");

    // The same request without what only a browser says is acted on.
    let request =
        "POST /sql HTTP/1.1\nHost: localhost:GATEWAY\nContent-Length: 36\n\n{\"query\":\"insert into t values (1)\"}";
    let status = Recorded { page: "no page", request }.send(&stage, &credentials).await?;
    ensure!(status == 200 && stage.psql("select count(*) from t") == "1", "the control failed: {status}");
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_no_origin_is_not_silently_allowed() {
    let config = GatewayConfig::new(Upstream::new("localhost", 5432)).allow_origin("localhost:3000");
    let refused = Gateway::bind(config).await.err();
    assert!(refused.is_some_and(|error| error.is_refused() && error.message().contains("http://localhost:3000")));
}
