use std::{
    fs,
    io::{self, BufRead, BufReader},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    launch::{self, Launch},
    serve::{FAILED, READY},
};

/// How long the engine may take to write down kept data and end.
const END: Duration = Duration::from_secs(5);
/// How often it is asked whether the process has ended.
const ASK: Duration = Duration::from_millis(10);

/// The process that runs the engine, which serves one connection after another on its private socket, each by a backend of its own.
///
/// Dropping it ends it at once. It ends with this process too, however that ends.
#[derive(Debug)]
pub(crate) struct Engine {
    child: Child,
    is_kept: bool,
}

impl Engine {
    /// Starts the engine, or starts it again on the same files. Blocks until it listens.
    ///
    /// # Errors
    ///
    /// When it does not start, and when this program is an engine itself, which shows that it does not call [`engine`](crate::engine).
    pub(crate) fn start(launch: &Launch) -> Result<Self> {
        ensure!(
            !launch::is_engine(),
            "this program was started to run the embedded PostgreSQL, and has to call pgferry_embedded::engine() first of all"
        );
        match fs::remove_file(&launch.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).context("the socket of the embedded PostgreSQL that ended cannot be removed");
            }
            _ => {}
        }
        let child = launch.command().spawn().with_context(|| {
            format!("{} cannot be started again to run the embedded PostgreSQL", launch.program.display())
        })?;
        let mut engine = Self { child, is_kept: launch.is_kept };
        let out = engine.child.stdout.take().context("the embedded PostgreSQL's output is missing")?;
        let mut why = None::<String>;
        for line in BufReader::new(out).lines() {
            let line = line.context("the embedded PostgreSQL's output cannot be read")?;
            match (&mut why, line.strip_prefix(FAILED)) {
                (None, _) if line == READY => return Ok(engine),
                (None, failed) => why = failed.map(str::to_owned),
                (Some(why), _) => *why = format!("{why}\n{line}"),
            }
        }
        let status = engine.child.wait()?;
        bail!(why.unwrap_or_else(|| {
            format!(
                "the embedded PostgreSQL ended while it started, with {status}: {} has to call pgferry_embedded::engine() first of all",
                launch.program.display()
            )
        }))
    }

    /// Ends the engine, whose connection must have ended before, and lets it write down kept data. Blocks for at most 5 s.
    pub(crate) fn stop(mut self) -> Result<()> {
        // Which it takes for the end of whoever started it.
        drop(self.child.stdin.take());
        let deadline = Instant::now() + END;
        while self.is_kept && Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(ASK);
        }
        // What it has not written down is in its log, as after a crash.
        self.kill()
    }

    /// Ends the engine with whatever runs in it. Blocks until it is gone.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It can only have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
