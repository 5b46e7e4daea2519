use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use pgferry::{
    Config,
    wire::{Client, Startup, Statement},
};
use reqwest::{RequestBuilder, Version};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::stage::Stage;

/// How long a request or statement may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// Clients of SQL over HTTP, which are not pgferry's own.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    gateway: Arc<str>,
    database: Arc<str>,
}

impl Http {
    /// Makes clients that keep their connections, of this version of HTTP.
    pub(crate) fn new(stage: &Stage, version: Version) -> Result<Self> {
        let tls = pgferry::net::tls_config(&Config::new(), &[])?;
        let builder = reqwest::Client::builder().tls_backend_preconfigured(Arc::unwrap_or_clone(tls)).no_proxy();
        let builder = if version == Version::HTTP_2 { builder.http2_prior_knowledge() } else { builder.http1_only() };
        let client = builder.timeout(PATIENCE).build()?;
        Ok(Self { client, gateway: stage.gateway.http_url().into(), database: stage.postgres.url().into() })
    }

    /// A request of a query without characters that JSON escapes.
    pub(crate) fn request(&self, query: &str) -> RequestBuilder {
        self.client
            .post(&*self.gateway)
            .header("Neon-Connection-String", &*self.database)
            .header("Neon-Raw-Text-Output", "true")
            .header("Neon-Array-Mode", "true")
            .body(format!(r#"{{"query":"{query}"}}"#))
    }

    /// Runs a query and checks that the answer has a row count.
    pub(crate) async fn query(&self, query: &str) -> Result<()> {
        let response = self.request(query).send().await?;
        let status = response.status();
        let body = response.text().await?;
        if !status.is_success() || !body.contains(r#""rowCount":"#) {
            // What differs between two of a kind comes behind it.
            let what = body.split_once(r#","detail""#).map_or(body.as_str(), |(what, _)| what);
            bail!("{status}: {what}");
        }
        Ok(())
    }
}

/// Opens a session through the gateway's WebSocket.
pub(crate) async fn open_websocket(stage: &Stage) -> pgferry::Result<Client<pgferry::websocket::Stream>> {
    let config: Config = stage.gateway.ferry(&stage.postgres.url()).parse()?;
    let startup = startup(stage, "password")?.pipeline_password(true);
    Client::connect(pgferry::websocket::connect(&config).await?, &startup).await
}

/// Opens a session with the server itself.
pub(crate) async fn open_direct(stage: &Stage) -> Result<Client<TcpStream>> {
    let tcp = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, stage.postgres.port()))).await?;
    tcp.set_nodelay(true)?;
    Ok(Client::connect(tcp, &startup(stage, "scram-sha-256")?).await?)
}

fn startup(stage: &Stage, require_auth: &str) -> pgferry::Result<Startup> {
    Ok(Startup::new("app", require_auth.parse()?).database("app").password(stage.postgres.password()))
}

/// Runs a statement and waits for all of its rows.
pub(crate) async fn query<S>(client: &mut Client<S>, text: &str) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let run = async { client.execute(&Statement::new(text)).await?.finish().await };
    let tag = tokio::time::timeout(PATIENCE, run).await.context("no answer in time")??;
    if tag.is_empty() {
        bail!("a statement ended without a tag");
    }
    Ok(())
}
