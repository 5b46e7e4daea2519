use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    account::Account,
    installation::Installation,
    run::last_lines,
    watchdog::{Ending, Watchdog},
};

/// How long a server may take to start, on a machine that is busy, with recovering kept data before.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A free port may be taken between finding and using it.
const PORT_TRIES: usize = 20;

/// How long a fast shutdown may take, which writes what is in memory.
const FAST_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(5);

/// What a [`Postmaster`] is started with.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The server's programs.
    pub installation: &'a Installation,
    /// Whom it runs as, and who owns the data.
    pub account: &'a Account,
    /// The data directory, as `initdb` made it.
    pub data: &'a Path,
    /// The file for the server's log, which begins anew.
    pub log: &'a Path,
    /// Parameters as in `postgresql.conf`, which they go before.
    pub settings: &'a [(String, String)],
    /// The ports on 127.0.0.1 to be tried before any that is free.
    pub ports: &'a [u16],
    /// How it ends.
    pub shutdown: Shutdown,
}

/// How a server of PostgreSQL is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Sessions are ended, and what they committed is written to the data directory.
    Fast,
    /// At once; a data directory that is used again is recovered first.
    Immediate,
}

/// A running `postgres` on 127.0.0.1, which ends when it is dropped.
#[derive(Debug)]
pub struct Postmaster {
    process: Child,
    log: PathBuf,
    port: u16,
    shutdown: Shutdown,
}

impl Postmaster {
    /// Starts `postgres` and waits until it accepts connections. The watchdog ends it with this process.
    ///
    /// # Errors
    ///
    /// When it does not start, with the end of its log.
    pub fn start(launch: &Launch<'_>, watchdog: &mut Watchdog) -> Result<Self> {
        let free_ports = std::iter::repeat_with(free_port).take(PORT_TRIES);
        for port in launch.ports.iter().copied().map(Ok).chain(free_ports) {
            let mut postmaster = Self::spawn(launch, port?)?;
            let ending = match launch.shutdown {
                Shutdown::Fast => Ending::Fast,
                Shutdown::Immediate => Ending::Immediate,
            };
            watchdog.watch(postmaster.process.id(), ending)?;
            if postmaster.wait_until_ready(launch.data)? {
                return Ok(postmaster);
            }
        }
        bail!("{PORT_TRIES} free ports in a row were taken by others")
    }

    /// Returns the port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns what the server has logged.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn log(&self) -> io::Result<String> {
        fs::read_to_string(&self.log)
    }

    /// Checks that the server has not ended by itself.
    ///
    /// # Errors
    ///
    /// When it has, with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            Some(status) => bail!("PostgreSQL ended with {status}: {}", last_lines(&self.log().unwrap_or_default())),
            None => Ok(()),
        }
    }

    /// Ends the server as its [`Launch`] said, and waits for it.
    ///
    /// # Errors
    ///
    /// When a fast shutdown takes so long that it had to be an immediate one.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn spawn(launch: &Launch<'_>, port: u16) -> Result<Self> {
        let program = launch.installation.program("postgres");
        let log = File::create(launch.log).with_context(|| format!("{} cannot be written", launch.log.display()))?;
        let mut command = launch.account.command(&program);
        command.arg("-D").arg(launch.data).arg("-p").arg(port.to_string());
        command.args(["-c", "listen_addresses=127.0.0.1"]);
        for (name, value) in launch.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        Ok(Self { process, log: launch.log.to_owned(), port, shutdown: launch.shutdown })
    }

    /// Waits for the word that the server writes when it accepts connections, as `pg_ctl` does; says no when another
    /// process took the port.
    fn wait_until_ready(&mut self, data: &Path) -> Result<bool> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.process.try_wait()? {
                let log = self.log()?;
                if log.contains("could not bind") || log.contains("could not create any TCP/IP sockets") {
                    return Ok(false);
                }
                bail!("PostgreSQL ended with {status}: {}", last_lines(&log));
            }
            let status = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            if status.lines().nth(7).is_some_and(|word| word.trim() == "ready") {
                return Ok(true);
            }
            thread::sleep(PAUSE);
        }
        bail!("PostgreSQL did not start within {START_TIMEOUT:?}: {}", last_lines(&self.log()?))
    }

    fn end(&mut self) -> Result<()> {
        if self.shutdown == Shutdown::Fast {
            self.signal(Signal::INT);
            let asked = Instant::now();
            while asked.elapsed() < FAST_SHUTDOWN_TIMEOUT {
                if self.process.try_wait()?.is_some() {
                    return Ok(());
                }
                thread::sleep(PAUSE);
            }
        }
        self.signal(Signal::QUIT);
        self.process.wait()?;
        ensure!(
            self.shutdown == Shutdown::Immediate,
            "PostgreSQL did not end within {FAST_SHUTDOWN_TIMEOUT:?} and was stopped at once: its next start recovers the data"
        );
        Ok(())
    }

    fn signal(&mut self, signal: Signal) {
        // Once it has been waited for, its number may be another's.
        if matches!(self.process.try_wait(), Ok(None))
            && let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        // Whoever wants to know calls `stop`.
        let _ = self.end();
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
