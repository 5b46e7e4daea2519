use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use anyhow::Context;
use pgferry_gateway::Upstream;
use tokio::{task::spawn_blocking, time::sleep};

/// How often it is asked whether the server has ended by itself.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// A Postgres that this command has started.
pub(crate) struct Server {
    /// Where it is, with role and database.
    pub(crate) upstream: Upstream,
    /// The role's password, which is also the superuser's.
    pub(crate) password: String,
    pub(super) introduction: String,
    pub(super) process: Box<dyn Process>,
}

/// What runs, until it is dropped.
pub(super) trait Process: Send {
    /// Fails where it has ended by itself, with the reason.
    fn check(&mut self) -> anyhow::Result<()>;

    /// Ends it. Blocks until that is done.
    fn stop(self: Box<Self>) -> anyhow::Result<()>;
}

impl Server {
    /// Tells on standard error what the three lines do not.
    pub(crate) fn introduce(&self) {
        // Where standard error is closed there is nobody to tell.
        let _ = write!(
            io::stderr(),
            "{}The role app owns the database app; the superuser is postgres, with the same password.\n\
             With the printed DATABASE_URL set, in single quotes since it has an & in it: `cargo run --example quickstart`, or `psql \"${{DATABASE_URL%%\\?*}}\"`.\n",
            self.introduction
        );
    }

    /// Waits until it has ended by itself, and returns why. Cancel safe.
    pub(crate) async fn end(&mut self) -> anyhow::Error {
        loop {
            if let Err(error) = self.process.check() {
                return error;
            }
            sleep(WATCH_INTERVAL).await;
        }
    }

    /// Ends it, and removes its data where they are temporary.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        spawn_blocking(|| self.process.stop()).await.context("the server's end was not awaited")?
    }
}

/// Tells where a server's data are, and what becomes of them, in a line.
pub(super) fn fate(directory: &Path, is_temporary: bool) -> String {
    let fate = if is_temporary { "vanishes at the end; --data DIR keeps it" } else { "stays, with the password in it" };
    format!("Its directory {} {fate}.\n", directory.display())
}
