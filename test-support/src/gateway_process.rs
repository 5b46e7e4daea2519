use std::{
    collections::HashMap,
    ffi::OsString,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};
use pgferry_local::{Account, Ending, Watchdog};
use rustix::process::{Pid, Signal, kill_process};

use crate::{gateway::url_through, postgres::Postgres};

/// Ports that systems do not give to clients, so that nobody takes a gateway's while it is dead.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The command `pgferry gateway` before a Postgres, as a process of its own that can be killed, stopped and started again on
/// the same port.
#[derive(Debug)]
pub struct GatewayProcess {
    program: PathBuf,
    arguments: Vec<OsString>,
    running: Running,
}

#[derive(Debug)]
struct Running {
    process: Child,
    watchdog: Watchdog,
    lines: HashMap<String, String>,
}

impl GatewayProcess {
    /// Starts `program gateway` before this server, on a port of its own, with further arguments, and waits until it is
    /// ready.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or ends without having printed its three lines.
    pub fn start(program: impl AsRef<Path>, postgres: &Postgres, arguments: &[&str]) -> Result<Self> {
        let program = program.as_ref().to_owned();
        let upstream = format!("postgresql://app@127.0.0.1:{}/app", postgres.port());
        let listen = format!("127.0.0.1:{}", quiet_port()?);
        let arguments: Vec<OsString> = ["gateway", "--upstream", &upstream, "--listen", &listen]
            .iter()
            .chain(arguments)
            .map(OsString::from)
            .collect();
        let running = Running::start(&program, &arguments)?;
        Ok(Self { program, arguments, running })
    }

    /// Returns the process's id, to look at it with.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.running.process.id()
    }

    /// Returns where it serves SQL over HTTP, as it said itself.
    #[must_use]
    pub fn http_url(&self) -> &str {
        self.running.line("http_url")
    }

    /// Returns where it serves Postgres over WebSocket, as it said itself.
    #[must_use]
    pub fn ws_url(&self) -> &str {
        self.running.line("ws_url")
    }

    /// Returns the URL without a password that it printed for pgferry's clients.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.running.line("DATABASE_URL")
    }

    /// Adds to a Postgres URL what pgferry's clients need to reach it through this gateway.
    #[must_use]
    pub fn ferry(&self, url: &str) -> String {
        url_through(url, self.http_url(), self.ws_url())
    }

    /// Ends it at once (SIGKILL), as a crash would.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.running.process.kill()?;
        self.running.process.wait()?;
        Ok(())
    }

    /// Freezes it (SIGSTOP): its connections stay open and nothing answers.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn stop(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it run again (SIGCONT).
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Tells it to end (SIGTERM), as service managers do.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Tells it to end (SIGINT), as people do with Ctrl-C.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn interrupt(&self) -> Result<()> {
        self.signal(Signal::INT)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.running.process.wait()?)
    }

    /// Starts it again, on the same port, and waits until it is ready; ends it first where it still runs.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.running = Running::start(&self.program, &self.arguments)?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.running.process.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Running {
    fn start(program: &Path, arguments: &[OsString]) -> Result<Self> {
        let watchdog = Watchdog::start(&Account::current(), None, None)?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let output = process.stdout.take();
        // From here on, dropping it ends both.
        let mut running = Self { process, watchdog, lines: HashMap::new() };
        running.watchdog.watch(running.process.id(), Ending::Kill)?;
        for line in BufReader::new(output.context("the gateway has no output")?).lines().take(3) {
            let line = line?;
            let (key, value) = line.split_once('=').with_context(|| format!("the gateway printed {line:?}"))?;
            running.lines.insert(key.to_owned(), value.to_owned());
        }
        if let Some(missing) =
            ["http_url", "ws_url", "DATABASE_URL"].iter().find(|key| !running.lines.contains_key(**key))
        {
            bail!("the gateway did not print its {missing}");
        }
        Ok(running)
    }

    fn line(&self, key: &str) -> &str {
        // `start` has seen all of them.
        self.lines.get(key).map_or("", String::as_str)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn quiet_port() -> Result<u16> {
    for _ in 0..100 {
        let mut bytes = [0; 2];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
        let port = PORTS.start + u16::from_ne_bytes(bytes) % (PORTS.end - PORTS.start);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port between {} and {} is free", PORTS.start, PORTS.end)
}
