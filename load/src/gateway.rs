use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use clap::Args;
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};

use crate::say::say;

/// The arguments of the gateway that is measured, named as those of `pgferry gateway`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[arg(long)]
    upstream: String,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    max_connections: usize,
    /// In seconds.
    #[arg(long)]
    queue_timeout: u64,
    /// In bytes.
    #[arg(long)]
    max_response_size: usize,
    /// In seconds.
    #[arg(long, default_value_t = 60)]
    idle_timeout: u64,
}

/// Serves until it is killed. It is the gateway as a library, so that this program is all that has to be built.
#[tokio::main]
pub(crate) async fn serve(arguments: &Arguments) -> Result<()> {
    let Arguments { upstream, listen, max_connections, queue_timeout, max_response_size, idle_timeout } = arguments;
    let upstream: Upstream = upstream.parse()?;
    let config = GatewayConfig::new(upstream)
        .listen(*listen)
        .max_connections(*max_connections)
        .queue_timeout(Duration::from_secs(*queue_timeout))
        .max_response_size(*max_response_size)
        .idle_timeout(Duration::from_secs(*idle_timeout));
    let gateway = Gateway::bind(config).await?;
    say(&format!("http_url={}", gateway.http_url()));
    say(&format!("ws_url={}", gateway.ws_url()));
    say("DATABASE_URL=postgresql://localhost");
    std::future::pending::<()>().await;
    drop(gateway);
    Ok(())
}
