use std::{path::PathBuf, sync::mpsc, thread, time::Duration};

use anyhow::{Context, Result, anyhow};
use pglite_oxide::PgliteServer;

/// How long a statement that still runs can hold the end up.
const END: Duration = Duration::from_secs(5);

/// The engine on its private socket: it serves one connection after another, each by a backend of its own.
pub(crate) struct Engine {
    server: PgliteServer,
}

impl Engine {
    /// Starts the engine, or starts it again on the same files. Blocks until it listens.
    pub(crate) fn start(root: PathBuf, socket: PathBuf) -> Result<Self> {
        // It blocks on a runtime of its own, which it must not do within another's.
        let start = move || {
            PgliteServer::builder()
                .path(root)
                .unix(socket)
                .postgres_config("search_path", "\"$user\", public")
                .postgres_config("allow_system_table_mods", "off")
                .start()
        };
        let server = thread::Builder::new()
            .name("pgferry-embedded-start".into())
            .spawn(start)?
            .join()
            .map_err(|_| anyhow!("the embedded PostgreSQL panicked while it started"))?
            .context("the embedded PostgreSQL does not start: install PostgreSQL, or name a server with --upstream")?;
        Ok(Self { server })
    }

    /// Ends the engine; its connection must have ended before. Blocks for at most 5 s.
    pub(crate) fn stop(self) -> Result<()> {
        let (ended, end) = mpsc::channel();
        thread::Builder::new().name("pgferry-embedded-end".into()).spawn(move || ended.send(self.server.shutdown()))?;
        end.recv_timeout(END)
            .map_err(|_| anyhow!("a statement still runs in the embedded PostgreSQL, and ends with the process"))?
    }
}
