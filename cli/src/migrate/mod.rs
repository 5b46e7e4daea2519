mod progress;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use pgferry::migrate::{Folder, MigrateError, Runner, State, Status, Version};

use crate::{
    database::Database,
    problem::{FAILED, Told, Usage, write_error},
};
use progress::Progress;

/// Applies, reverts and lists the migrations of a folder, laid out as sqlx's tools or as diesel's lay it out.
///
/// Each migration is one transaction with the row that records it, in the table of sqlx or of diesel, so that their own tools can go
/// on from there. Several runners may be started at once: each migration is applied once.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Applies what is pending
    Run {
        /// Only up to this version
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        #[command(flatten)]
        on: On,
    },
    /// Reverts the last migration
    Revert {
        /// All after this version instead; after 0 are all
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        #[command(flatten)]
        on: On,
    },
    /// Lists the migrations and how they stand; ends with 1 where one is pending, changed, missing or halfway
    Status {
        #[command(flatten)]
        on: On,
    },
}

/// What is migrated, by what.
#[derive(Args)]
struct On {
    /// The folder
    #[arg(long, value_name = "DIR", default_value = "migrations")]
    source: PathBuf,

    /// What carries the statements: http, websocket, or auto, which here is websocket where there is one; defaults to what the URL or
    /// PGFERRY_TRANSPORT says
    #[arg(long, value_name = "TRANSPORT")]
    transport: Option<String>,

    /// Says nothing but errors
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    database: Database,

    /// The database, as --url
    #[arg(value_name = "DATABASE")]
    url: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  Apply what is pending in ./migrations to the database of DATABASE_URL:
    pgferry migrate run

  Over HTTP, each migration in one request:
    pgferry migrate run --transport http --source db/migrations postgresql://app@host/db

  Revert all after a version:
    pgferry migrate revert --to 20240101000000";

impl Migrate {
    /// Does it.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Run { to, on } => {
                let to = to.map(Version::new);
                let (folder, mut runner, mut progress) = on.open().await?;
                let done = runner.run(folder.migrations(), to.as_ref(), |migration| progress.begin(migration)).await;
                progress.end("applied", done.map_err(explained)?)
            }
            Action::Revert { to, on } => {
                let to = to.map(Version::new);
                let (folder, mut runner, mut progress) = on.open().await?;
                let done = runner.revert(folder.migrations(), to.as_ref(), |migration| progress.begin(migration)).await;
                progress.end("reverted", done.map_err(explained)?)
            }
            Action::Status { on } => {
                let (folder, mut runner, _) = on.open().await?;
                let all = runner.status(folder.migrations()).await.map_err(explained)?;
                list(&all).map_err(write_error)?;
                if all.iter().any(|status| status.state != State::Applied) {
                    return Err(Told(FAILED).into());
                }
                Ok(())
            }
        }
    }
}

impl On {
    async fn open(self) -> anyhow::Result<(Folder, Runner, Progress)> {
        let mut config = self.database.config(self.url.as_deref())?;
        if let Some(transport) = &self.transport {
            config = config.param("transport", transport)?;
        }
        let folder = Folder::read(&self.source).map_err(|error| Usage(format!("{error}: see --source")))?;
        let runner = Runner::connect(&config, folder.ledger()).await.map_err(explained)?;
        Ok((folder, runner, Progress::new(self.quiet)))
    }
}

/// The database's own errors have their hints and exit statuses.
fn explained(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::Database(error) => error.into(),
        other => other.into(),
    }
}

fn list(all: &[Status]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for Status { version, description, state } in all {
        let state = match state {
            State::Applied => "applied",
            State::Pending => "pending",
            State::Changed => "changed since it was applied",
            State::Missing => "applied, but not in the folder",
            State::Dirty => "begun, but not ended",
            _ => "unknown",
        };
        writeln!(out, "{version}  {}  {state}", description.as_deref().unwrap_or("?"))?;
    }
    out.flush()
}
