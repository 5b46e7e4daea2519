mod listen;
mod password;
mod ready;

use std::{ffi::OsString, io, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use pgferry::{
    Config, Transport,
    bridge::{Address, Bridge as Server, Options},
    config::Describe,
    execute::Session,
};
use tokio::time::timeout;

use self::{listen::Listen, ready::Ready};
use crate::{
    database::Database,
    interruption::Interruption,
    problem::{Usage, told, write_error},
};

/// How long the servers are given to hear that a statement is no longer wanted.
const GOODBYE: Duration = Duration::from_secs(10);

/// Serves a local Postgres port, and carries what comes there over HTTP or WebSocket.
///
/// For psql, pg_dump, sqlx, diesel and whatever else speaks Postgres. Prints a DATABASE_URL when it is ready, then host, port,
/// user, password and dbname on lines of their own. Runs until it is interrupted; what clients still run is cancelled then.
///
/// The password is the bridge's own, not the database's, and a new one at each start unless --password-file keeps it or
/// PGFERRY_BRIDGE_PASSWORD gives it. Clients may name any database, but only the role of the URL.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Bridge {
    /// The address to listen on, this machine's own alone; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5433")]
    listen: Listen,

    /// What carries the statements: websocket or http; auto, the default, is websocket where both are known
    #[arg(long, value_name = "TRANSPORT")]
    transport: Option<String>,

    /// Keeps the password in this file: takes what its first line says, or writes a new one there
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    #[command(flatten)]
    database: Database,

    /// The database, as --url
    #[arg(value_name = "URL")]
    url: Option<String>,

    /// There to be refused: clap repeats an argument that it does not know, and this may be a URL with a password
    #[arg(hide = true)]
    stray: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  A port for the database of DATABASE_URL, and psql through it:
    pgferry bridge
    psql 'postgresql://app:…@127.0.0.1:5433/appdb?sslmode=disable'

  With a password that stays the same, on a port of its own:
    pgferry bridge --listen 127.0.0.1:6000 --password-file ~/.pgferry-bridge postgresql://app@host/appdb

  For sqlx's command and macros, with the DATABASE_URL that it prints:
    DATABASE_URL='postgresql://app:…@127.0.0.1:5433/appdb?sslmode=disable' cargo sqlx migrate run

Set RUST_LOG=pgferry=debug to see what it does.";

impl Bridge {
    /// Serves until it is told to end.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        if !self.stray.is_empty() {
            return Err(Usage("a bridge leads to one database: give one URL".into()).into());
        }
        let config = self.config()?;
        let password = password::given(self.password_file.as_deref())?;
        let is_new = password.is_none();
        let mut options = Options::new().listen(self.listen.0);
        if let Some(password) = password {
            options = options.password(password);
        }
        let mut interruption = Interruption::expect().context("the system gives no signals")?;
        let server = Server::start_with(&config, &options)?;
        if let Some(file) = self.password_file.as_deref().filter(|_| is_new) {
            password::keep(&server, file)?;
        }
        announce(&server)?;
        check(&server);
        interruption.come().await?;
        tokio::select! {
            // Where a server cannot be reached any more, nobody is told.
            _ = timeout(GOODBYE, server.shutdown()) => Ok(()),
            // Whoever interrupts twice does not wait.
            again = interruption.come() => Ok(again?),
        }
    }

    fn config(&self) -> anyhow::Result<Config> {
        let mut config = self.database.config(self.url.as_deref())?;
        if let Some(transport) = &self.transport {
            config = config.param("transport", transport)?;
        }
        // A command expects a session from its beginning to its end: it hears notices, and drops the database that it has just left.
        if matches!(config.resolve_transport(), Ok(Transport::Auto)) {
            config = config.transport(Transport::WebSocket);
        }
        if config.get_describe().is_none() {
            // Among its clients are sqlx's macros, which look at a prepared statement's columns.
            config = config.describe(Describe::Always);
        }
        if !config.is_given("max_response_size") {
            // Rows are passed on as they come, so that their sum takes no memory.
            config = config.max_response_size(usize::MAX);
        }
        Ok(config)
    }
}

fn announce(server: &Server) -> anyhow::Result<()> {
    let Address::Tcp(address) = server.address() else { bail!("the bridge listens on {:?}", server.address()) };
    let config = server.config();
    let ready = Ready {
        url: &server.url()?,
        address: *address,
        user: config.get_user()?,
        password: server.password(),
        database: config.get_dbname()?,
    };
    ready.write(&mut io::stdout().lock()).map_err(write_error)
}

/// Warns where the database cannot be reached as things are; each client that logs in tries again.
fn check(server: &Server) {
    let (config, runtime) = (server.config().clone(), server.runtime().clone());
    server.runtime().spawn(async move {
        if let Err(error) = Session::connect_on(&config, runtime).await {
            tracing::warn!("{}. Each client that connects tries again.", told(&error));
        }
    });
}
