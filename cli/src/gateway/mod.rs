pub(crate) mod argv;
mod database_url;
mod ephemeral;
mod faults;
mod limits;
mod tls;

use std::{
    ffi::OsString,
    io::{self, Write},
    net::{SocketAddr, TcpListener},
};

use anyhow::{Context, bail};
use clap::Args;
use pgferry_gateway::{Gateway as Server, GatewayConfig, Upstream, WsAuth};
use tokio::task::spawn_blocking;

use crate::{interruption::Interruption, problem::Usage};

use self::{
    ephemeral::Ephemeral,
    faults::Faults,
    limits::Limits,
    tls::{Certificate, Published, Tls},
};

/// Serves SQL over HTTP and Postgres over WebSocket in front of any Postgres, or of one that it starts itself.
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
    upstream: Option<String>,

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

    /// Lets the WebSocket's ?address= name this server too, as host:port, or as a URL where it needs TLS
    #[arg(long, value_name = "SERVER")]
    allow_address: Vec<String>,

    /// Serves metrics for Prometheus at /metrics, to whoever reaches the gateway
    #[arg(long)]
    metrics: bool,

    /// Listens without TLS on an address that other machines can reach
    #[arg(long)]
    allow_plain: bool,

    #[command(flatten)]
    ephemeral: Ephemeral,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    tls: Tls,

    #[command(flatten)]
    faults: Faults,

    /// There to be refused: clap repeats an argument that it does not know, and this may be a URL with a password
    #[arg(hide = true)]
    stray: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  With a throw-away Postgres, which needs no set-up:
    pgferry gateway --ephemeral

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
        let Self {
            upstream,
            listen,
            ws_auth,
            allow_origin,
            allow_host,
            allow_address,
            metrics,
            allow_plain,
            ephemeral,
            limits,
            tls,
            faults,
            stray,
        } = self;
        if !stray.is_empty() {
            bail!("the gateway takes flags alone: give the server as --upstream URL");
        }
        // What can be wrong is found before anything is started.
        let faults = faults.faults()?;
        let certificate = tls.certificate()?;
        let addresses = allow_address.iter().map(|server| address(server)).collect::<anyhow::Result<Vec<_>>>()?;
        let configure = |upstream: Upstream| {
            let mut config = GatewayConfig::new(upstream)
                .listen(listen)
                .ws_auth(ws_auth)
                .allow_plain(allow_plain)
                .faults(faults)
                .metrics(metrics);
            for origin in &allow_origin {
                config = config.allow_origin(origin);
            }
            for host in &allow_host {
                config = config.allow_host(host);
            }
            for address in addresses {
                config = config.allow_address(address);
            }
            certificate.apply(limits.apply(config))
        };
        let mut interruption = Interruption::expect().context("the system gives no signals")?;
        match upstream {
            _ if ephemeral.is_wanted() => {
                // What the environment says gives way to a flag, and two flags to neither.
                if argv::names_upstream() {
                    bail!("--ephemeral starts a Postgres and --upstream names one that runs: leave one of them out");
                }
                // To be told of it after a server has been started would be late.
                if let Err(error) = TcpListener::bind(listen) {
                    return Err(Usage(format!("the gateway cannot listen on {listen}: {error}")).into());
                }
                before_its_own(ephemeral, configure, &certificate, &mut interruption).await
            }
            Some(upstream) => {
                let upstream = server(&upstream)?;
                // A URL that is well-formed can be taken apart; whoever gives another sees the command end at once.
                argv::hide_password();
                before_another(upstream, configure, &certificate, &mut interruption).await
            }
            None => bail!(
                "there is no Postgres to stand in front of: name one with --upstream postgresql://user@host:port/database, or let \
                 --ephemeral start a throw-away one"
            ),
        }
    }
}

/// Reads a server's URL.
fn server(url: &str) -> anyhow::Result<Upstream> {
    // It is about the command line, and no hint about connections fits.
    Ok(url.parse::<Upstream>().map_err(|error| Usage(error.to_string()))?)
}

/// Reads a server's address, which may be a URL with a password and so is never repeated.
fn address(server: &str) -> anyhow::Result<Upstream> {
    if server.contains("://") {
        return self::server(server);
    }
    let Some((host, Ok(port))) = server.rsplit_once(':').map(|(host, port)| (host, port.parse())) else {
        bail!("--allow-address takes host:port, such as db.internal:5432, or postgresql://host:port?sslmode=require");
    };
    Ok(Upstream::new(host.trim_start_matches('[').trim_end_matches(']'), port))
}

async fn before_another(
    upstream: Upstream,
    configure: impl FnOnce(Upstream) -> anyhow::Result<GatewayConfig>,
    certificate: &Certificate,
    interruption: &mut Interruption,
) -> anyhow::Result<()> {
    let gateway = bind(configure(upstream.clone())?).await?;
    if let Err(error) = upstream.check().await {
        tracing::warn!("{error}. Each request tries again.");
    }
    let published = certificate.publish()?;
    announce(&gateway, &upstream, None, &published)?;
    interruption.come().await?;
    end(gateway, interruption).await;
    Ok(())
}

async fn before_its_own(
    ephemeral: Ephemeral,
    configure: impl FnOnce(Upstream) -> anyhow::Result<GatewayConfig>,
    certificate: &Certificate,
    interruption: &mut Interruption,
) -> anyhow::Result<()> {
    let mut starting = spawn_blocking(|| ephemeral.start());
    let started = tokio::select! {
        started = &mut starting => started?,
        interrupted = interruption.come() => {
            // What is being started can be ended once it has started.
            drop(starting.await);
            return Ok(interrupted?);
        }
    };
    let mut postgres = started?;
    let gateway = bind(configure(postgres.upstream.clone())?).await?;
    postgres.introduce();
    let published = certificate.publish()?;
    announce(&gateway, &postgres.upstream, Some(&postgres.password), &published)?;
    let ended = tokio::select! {
        interrupted = interruption.come() => interrupted.map_err(Into::into),
        error = postgres.end() => Err(error),
    };
    end(gateway, interruption).await;
    let stopped = postgres.stop().await;
    ended.and(stopped)
}

async fn bind(config: GatewayConfig) -> anyhow::Result<Server> {
    // It is about the command line, and no hint about connections fits.
    Ok(Server::bind(config).await.map_err(|error| Usage(error.to_string()))?)
}

/// Lets requests end, unless whoever interrupted once does so again.
async fn end(gateway: Server, interruption: &mut Interruption) {
    let enough = async {
        // Where there are no more signals, nobody can be patient.
        let _ = interruption.come().await;
    };
    gateway.shutdown_until(enough).await;
}

fn announce(
    gateway: &Server,
    upstream: &Upstream,
    password: Option<&str>,
    certificate: &Published,
) -> anyhow::Result<()> {
    let (http, ws) = (gateway.http_url(), gateway.ws_url());
    let url = database_url::write(upstream, password, certificate.file(), &http, &ws);
    let mut out = io::stdout().lock();
    write!(out, "http_url={http}\nws_url={ws}\nDATABASE_URL={url}\n")
        .and_then(|()| out.flush())
        .context("standard output cannot be written")
}
