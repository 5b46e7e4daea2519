use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::Context;
use pgferry_gateway::Upstream;
use pgferry_local::Installation;
use tokio::{task::spawn_blocking, time::sleep};

/// How often it is asked whether the server has ended by itself.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// A Postgres that this command has started.
pub(crate) enum Server {
    Installed { server: pgferry_local::Server, installation: Installation },
}

impl Server {
    /// Returns where it is, with role and database.
    pub(crate) fn upstream(&self) -> anyhow::Result<Upstream> {
        let Self::Installed { server, .. } = self;
        let url = format!("postgresql://{}@127.0.0.1:{}/{}", server.user(), server.port(), server.database());
        Ok(url.parse()?)
    }

    pub(crate) fn password(&self) -> &str {
        let Self::Installed { server, .. } = self;
        server.password()
    }

    /// Tells on standard error what the three lines do not.
    pub(crate) fn introduce(&self) {
        let Self::Installed { server, installation } = self;
        let directory = server.directory().display();
        let fate = if server.is_temporary() {
            "vanishes at the end; --data DIR keeps it"
        } else {
            "stays, with the password in it"
        };
        // Where standard error is closed there is nobody to tell.
        let _ = write!(
            io::stderr(),
            "PostgreSQL {} of {} runs on 127.0.0.1 port {}.\n\
             Its directory {directory} {fate}.\n\
             The role app owns the database app; the superuser is postgres, with the same password.\n\
             With the DATABASE_URL set that is printed: `cargo run --example quickstart`, or `psql \"${{DATABASE_URL%%\\?*}}\"`.\n",
            installation.version(),
            installation.directory().display(),
            server.port(),
        );
    }

    /// Waits until it has ended by itself, and returns why. Cancel safe.
    pub(crate) async fn end(&mut self) -> anyhow::Error {
        let Self::Installed { server, .. } = self;
        loop {
            if let Err(error) = server.check() {
                return error;
            }
            sleep(WATCH_INTERVAL).await;
        }
    }

    /// Ends it, and removes its data where they are temporary.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Self::Installed { server, .. } = self;
        spawn_blocking(|| server.stop()).await.context("the server's end was not awaited")?
    }
}
