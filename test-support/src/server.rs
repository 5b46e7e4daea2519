use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{account::Account, installation::Installation, watchdog::Watchdog};

/// How long a server may take to start, on a machine that is busy with other tests.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A free port may be taken between finding and using it.
const PORT_TRIES: usize = 20;

/// Settings that trade safety for speed and keep the output the same everywhere.
const SETTINGS: [&str; 15] = [
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "password_encryption=scram-sha-256",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "max_wal_size=256MB",
    "autovacuum=off",
    "jit=off",
    "TimeZone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "logging_collector=off",
    "log_min_messages=warning",
];

/// A running `postgres` and its directory.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    watchdog: Watchdog,
    directory: PathBuf,
    port: u16,
}

impl Server {
    /// Starts `postgres` on the data directory `data` in `directory`, and waits until it accepts connections.
    pub(crate) fn start(
        installation: &Installation,
        account: &Account,
        directory: &Path,
        settings: &[(String, String)],
    ) -> Result<Self> {
        for _ in 0..PORT_TRIES {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let log = File::create(directory.join("log"))?;
            let mut command = account.command(installation.program("postgres"));
            command.arg("-D").arg(directory.join("data")).arg("-p").arg(port.to_string()).arg("-k").arg(directory);
            for setting in SETTINGS {
                command.arg("-c").arg(setting);
            }
            command.arg("-c").arg(format!("hba_file={}", directory.join("pg_hba.conf").display()));
            for (name, value) in settings {
                command.arg("-c").arg(format!("{name}={value}"));
            }
            let mut process = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
            let watchdog = match Watchdog::start(account, process.id(), Some(directory)) {
                Ok(watchdog) => watchdog,
                Err(error) => {
                    process.kill()?;
                    process.wait()?;
                    return Err(error.context("the server's watchdog cannot be started"));
                }
            };
            // From here on, dropping it ends both.
            let mut server = Self { process, watchdog, directory: directory.to_owned(), port };
            if server.wait_until_ready()? {
                return Ok(server);
            }
        }
        bail!("{PORT_TRIES} free ports in a row were taken by others")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn log(&self) -> io::Result<String> {
        fs::read_to_string(self.directory.join("log"))
    }

    /// Waits for the word that the server writes when it accepts connections, as `pg_ctl` does; says no when another
    /// process took the port.
    fn wait_until_ready(&mut self) -> Result<bool> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.process.try_wait()? {
                let log = self.log()?;
                if log.contains("could not bind") || log.contains("could not create any TCP/IP sockets") {
                    return Ok(false);
                }
                bail!("PostgreSQL ended with {status}: {}", log.trim());
            }
            let status = fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
            if status.lines().nth(7).is_some_and(|word| word.trim() == "ready") {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("PostgreSQL did not start within {START_TIMEOUT:?}: {}", self.log().context("it has no log")?.trim())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An immediate shutdown: the data are thrown away.
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw)
            && matches!(self.process.try_wait(), Ok(None))
        {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = self.process.wait();
        self.watchdog.dismiss();
    }
}
