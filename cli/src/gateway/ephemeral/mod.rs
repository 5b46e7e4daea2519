//! `--ephemeral`: a Postgres for local development, which the command starts and ends itself.

#[cfg_attr(not(feature = "embedded"), path = "embedded_disabled.rs")]
mod embedded;
#[cfg_attr(not(unix), path = "installed_disabled.rs")]
mod installed;
mod password;
mod server;

use std::path::PathBuf;

use clap::{Args, value_parser};

pub(super) use self::server::Server;

/// How a Postgres of the gateway's own is started.
#[derive(Args)]
#[command(next_help_heading = "A Postgres of its own")]
pub(super) struct Ephemeral {
    /// Starts a throw-away PostgreSQL instead of standing in front of one that runs
    ///
    /// It is the installed one, or where none is installed, the one that is compiled in. The printed DATABASE_URL has its role, its
    /// database and its password: a random one, or that of the environment variable PGFERRY_EPHEMERAL_PASSWORD. At the end
    /// everything vanishes.
    #[arg(long)]
    ephemeral: bool,

    /// Keeps the data of --ephemeral in a directory, with its password
    #[arg(long, value_name = "DIR", requires = "ephemeral")]
    data: Option<PathBuf>,

    /// Takes the PostgreSQL that is compiled in, also where one is installed
    #[arg(long, requires = "ephemeral")]
    embedded: bool,

    /// Where initdb and postgres are
    ///
    /// Otherwise they are looked for on PATH, where pg_config says, and in the usual folders.
    #[arg(long, value_name = "DIR", env = "PGFERRY_POSTGRES_BIN")]
    postgres_bin: Option<PathBuf>,

    /// The port of --ephemeral's PostgreSQL itself on 127.0.0.1, for psql and the like; a free one otherwise
    #[arg(long, value_name = "PORT", requires = "ephemeral", value_parser = value_parser!(u16).range(1..))]
    postgres_port: Option<u16>,
}

/// What is wanted of a server, whichever it is.
struct Wanted {
    data: Option<PathBuf>,
    password: Option<String>,
    port: Option<u16>,
}

impl Ephemeral {
    /// Whether it is asked for.
    pub(super) fn is_wanted(&self) -> bool {
        self.ephemeral
    }

    /// Starts it. Blocks for seconds where the data directory has to be made.
    pub(super) fn start(self) -> anyhow::Result<Server> {
        let Self { ephemeral: _, data, embedded, postgres_bin, postgres_port: port } = self;
        let wanted = Wanted { data, password: password::from_env()?, port };
        if embedded {
            return embedded::start(wanted);
        }
        match installed::find(postgres_bin.as_deref()) {
            Ok(installation) => installed::start(&installation, wanted),
            // Whoever names one does not want another.
            Err(error) if postgres_bin.is_some() => Err(error),
            Err(error) => embedded::start_instead(wanted, error),
        }
    }
}
