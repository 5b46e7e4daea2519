mod argv;
mod database_url;
mod faults;
mod limits;

use std::{
    ffi::OsString,
    io::{self, Write},
    net::SocketAddr,
};

use anyhow::{Context, bail};
use clap::Args;
use pgferry_gateway::{Gateway as Server, GatewayConfig, Upstream, WsAuth};
use tokio::signal;

/// Serves SQL over HTTP and Postgres over WebSocket in front of any Postgres.
///
/// Prints three lines when it is ready: where SQL over HTTP is served, where Postgres over WebSocket is, and the
/// DATABASE_URL for pgferry's clients. Runs until it is interrupted.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Gateway {
    /// The Postgres server, as postgresql://user@host:port/database
    ///
    /// User and database go into the printed DATABASE_URL. A password in it is not used and forgotten at once: callers log
    /// in with their own. Add ?sslmode=require for TLS, or ?host=/var/run/postgresql for a Unix socket.
    #[arg(long, value_name = "URL", env = "PGFERRY_UPSTREAM", hide_env_values = true)]
    // Text until it is known to be well-formed: clap repeats what it cannot parse, password and all.
    upstream: String,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4444")]
    listen: SocketAddr,

    /// How callers log in through the WebSocket: cleartext, or relay for the server's own SCRAM
    #[arg(long, value_name = "METHOD", default_value_t = WsAuth::Cleartext)]
    ws_auth: WsAuth,

    /// Lets pages of this origin in, such as http://localhost:3000; '*' for every page, as the providers do
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,

    /// Lets requests in that call the gateway by this name, besides localhost
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// Listens without TLS on an address that other machines can reach
    #[arg(long)]
    allow_plain: bool,

    #[command(flatten)]
    limits: limits::Limits,

    #[command(flatten)]
    faults: faults::Faults,

    /// There to be refused: clap repeats an argument that it does not know, and this may be a URL with a password
    #[arg(hide = true)]
    stray: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  In front of a Postgres on this machine:
    pgferry gateway --upstream postgresql://app@localhost:5432/appdb

  Through a Unix socket, on a port of its own:
    pgferry gateway --upstream 'postgresql://app@localhost/appdb?host=/var/run/postgresql' --listen 127.0.0.1:8080

  For a page that a development server serves:
    pgferry gateway --upstream postgresql://localhost/appdb --allow-origin http://localhost:5173

  Ask it something:
    curl http://localhost:4444/sql \\
      -H 'Neon-Connection-String: postgresql://app:password@localhost/appdb' \\
      -d '{\"query\": \"SELECT $1::int + 1 AS answer\", \"params\": [\"41\"]}'

Set RUST_LOG=pgferry_gateway=debug to see what it does.";

impl Gateway {
    /// Runs the gateway until it is told to end.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Self { upstream, listen, ws_auth, allow_origin, allow_host, allow_plain, limits, faults, stray } = self;
        if !stray.is_empty() {
            bail!("the gateway takes flags alone: give the server as --upstream URL");
        }
        let upstream: Upstream = upstream.parse()?;
        // A URL that is well-formed can be taken apart; whoever gives another sees the command end at once.
        argv::hide_password();
        let mut config = GatewayConfig::new(upstream.clone())
            .listen(listen)
            .ws_auth(ws_auth)
            .allow_plain(allow_plain)
            .faults(faults.faults()?);
        for origin in &allow_origin {
            config = config.allow_origin(origin);
        }
        for host in &allow_host {
            config = config.allow_host(host);
        }
        let gateway = Server::bind(limits.apply(config)).await?;
        if let Err(error) = upstream.check().await {
            tracing::warn!("{error}. Each request tries again.");
        }
        announce(&gateway, &upstream).context("standard output cannot be written")?;
        interrupted().await.context("the system gives no signals")?;
        gateway.shutdown().await;
        Ok(())
    }
}

fn announce(gateway: &Server, upstream: &Upstream) -> io::Result<()> {
    let (http, ws) = (gateway.http_url(), gateway.ws_url());
    let mut out = io::stdout().lock();
    writeln!(out, "http_url={http}")?;
    writeln!(out, "ws_url={ws}")?;
    writeln!(out, "DATABASE_URL={}", database_url::write(upstream, &http, &ws))?;
    out.flush()
}

/// Waits for Ctrl-C, or for the signal by which service managers and containers end a process.
async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}
