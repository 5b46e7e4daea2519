//! What a page in a browser can do to a developer's database: nothing.

use anyhow::Result;
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::Fixture;

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
