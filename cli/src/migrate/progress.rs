use std::{
    io::{self, Write},
    time::Instant,
};

use pgferry::migrate::Migration;

use crate::problem::write_error;

/// Says what is being done and how long it took, a line for each migration.
pub(super) struct Progress {
    quiet: bool,
    running: Option<Instant>,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, running: None }
    }

    /// A migration begins, and so the one before it has ended.
    pub(super) fn begin(&mut self, migration: &Migration) {
        self.close();
        if !self.quiet {
            // Where standard error is closed there is nobody to tell.
            let _ = write!(io::stderr(), "{} {} … ", migration.version, migration.description);
        }
        self.running = Some(Instant::now());
    }

    /// All have ended.
    pub(super) fn end(mut self, what: &str, count: usize) -> anyhow::Result<()> {
        self.close();
        if self.quiet {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{count} {what}").and_then(|()| out.flush()).map_err(write_error)
    }

    fn close(&mut self) {
        if let Some(since) = self.running.take().filter(|_| !self.quiet) {
            let _ = writeln!(io::stderr(), "{:.1?}", since.elapsed());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.running.take().is_some() && !self.quiet {
            // The error begins on a line of its own.
            let _ = writeln!(io::stderr(), "failed");
        }
    }
}
