//! The gateway as a client sees it, in front of a real Postgres.

mod batches;
mod browser;
mod faults;
mod http;
mod leaving;
mod limits;
mod load;
mod metrics;
mod safety;
mod session_state;
mod shutdown;
mod silence;
mod silent_server;
mod streaming;
mod tls;
mod unread;
mod upstream_tls;
mod websocket;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use pgferry_test_support::Postgres;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// How long a test waits for what has to happen at some time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway before the server that the tests share, and a client of it.
struct Fixture {
    postgres: &'static Postgres,
    gateway: Gateway,
    client: reqwest::Client,
}

impl Fixture {
    async fn start() -> Result<Self> {
        Self::start_with(|config| config).await
    }

    async fn start_with(configure: impl FnOnce(GatewayConfig) -> GatewayConfig) -> Result<Self> {
        let postgres = Postgres::shared()?;
        let upstream = Upstream::new("127.0.0.1", postgres.port());
        let gateway = Gateway::bind(configure(GatewayConfig::new(upstream))).await?;
        Ok(Self { postgres, gateway, client: reqwest::Client::new() })
    }

    /// A request as the role `app`, with rows as arrays of Postgres's text.
    fn request(&self, body: &Value) -> RequestBuilder {
        self.request_as(&self.postgres.url(), body)
    }

    fn request_as(&self, url: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(self.gateway.http_url())
            .header("Neon-Connection-String", url)
            .header("Neon-Raw-Text-Output", "true")
            .header("Neon-Array-Mode", "true")
            .json(body)
    }

    /// The rows of a query that is expected to do well.
    async fn rows(&self, query: &str) -> Result<Value> {
        let (status, mut body) = answer(self.request(&json!({ "query": query })).send().await?).await?;
        if status != StatusCode::OK {
            bail!("{query}: {status}: {body}");
        }
        Ok(body["rows"].take())
    }

    /// The status and the body of a query that is expected to fail.
    async fn failure(&self, query: &str) -> Result<(u16, Value)> {
        let (status, body) = answer(self.request(&json!({ "query": query })).send().await?).await?;
        if status == StatusCode::OK {
            bail!("{query} did well: {body}");
        }
        Ok((status.as_u16(), body))
    }
}

async fn answer(response: Response) -> Result<(StatusCode, Value)> {
    let status = response.status();
    let text = response.text().await?;
    let body = serde_json::from_str(&text).with_context(|| format!("{status}, but no JSON: {text}"))?;
    Ok((status, body))
}

/// Waits until a query of the superuser gives this result.
async fn wait_for(postgres: &'static Postgres, query: &str, expected: &str) -> Result<()> {
    let polled = async {
        loop {
            let query = query.to_owned();
            let result = tokio::task::spawn_blocking(move || postgres.psql(&query)).await??;
            if result == expected {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polled).await.with_context(|| format!("{query} never gave {expected}"))?
}
