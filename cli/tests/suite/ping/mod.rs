//! `pgferry ping` as whoever calls it sees it.

mod failures;
mod phases;
mod reading;

use std::{
    io::Read,
    net::{SocketAddr, TcpListener},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::PGFERRY;

/// Stands for every password that is written out here.
const PASSWORD: &str = "sesame";

/// Where nobody listens: port 1 is reserved and unused.
const NOBODY: &str = "127.0.0.1:1";

/// A host that never has an address (RFC 6761, section 6.4).
const NOWHERE: &str = "nobody.invalid";

struct Ping {
    command: Command,
    /// What must not be seen.
    secret: String,
}

struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Ping {
    fn new(args: &[&str]) -> Self {
        let mut command = Command::new(PGFERRY);
        command.arg("ping").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if ["PG", "DATABASE_", "LC_", "LANG", "RUST_LOG", "NO_COLOR", "CLICOLOR"]
                .iter()
                .any(|start| name_text.starts_with(start))
            {
                command.env_remove(&name);
            }
        }
        command.env("LC_ALL", "C.UTF-8").current_dir(std::env::temp_dir());
        Self { command, secret: PASSWORD.to_owned() }
    }

    /// A few tries are enough to see what is measured.
    fn quick(url: &str, args: &[&str]) -> Self {
        Self::new(&[&["-n", "2", "--warm", "3", url], args].concat())
    }

    fn secret(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self
    }

    fn run(mut self) -> Result<Said> {
        let Output { status, stdout, stderr } = self.command.output()?;
        let said = Said { status: status.code(), out: String::from_utf8(stdout)?, err: String::from_utf8(stderr)? };
        ensure!(!said.out.contains(&self.secret) && !said.err.contains(&self.secret), "the password is shown");
        Ok(said)
    }

    fn json(mut self) -> Result<(Option<i32>, Value)> {
        self.command.arg("--json");
        let said = self.run()?;
        ensure!(said.err.is_empty(), "{}", said.err);
        Ok((said.status, serde_json::from_str(&said.out).with_context(|| said.out.clone())?))
    }
}

/// A URL with these endpoints, as the gateway prints one.
fn url(http: &str, ws: &str) -> String {
    let encoded = |url: &str| url.replace(':', "%3A").replace('/', "%2F");
    format!("postgresql://app:{PASSWORD}@127.0.0.1:5432/app?http_url={}&ws_url={}", encoded(http), encoded(ws))
}

fn both_at(address: impl std::fmt::Display) -> String {
    url(&format!("http://{address}/sql"), &format!("ws://{address}/v2"))
}

/// A server on a thread, which does this with each connection until the test's process ends.
fn server(serve: impl Fn(std::net::TcpStream) + Send + Sync + Clone + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(tcp));
        }
    });
    Ok(address)
}

fn transport<'a>(report: &'a Value, name: &str) -> Result<&'a Value> {
    let transports = report["transports"].as_array().context("no transports")?;
    transports.iter().find(|transport| transport["transport"] == name).with_context(|| format!("no {name}: {report:#}"))
}

#[cfg(target_os = "linux")]
#[test]
fn the_list_of_processes_never_shows_the_password() -> Result<()> {
    let (said, heard) = std::sync::mpsc::channel();
    let address = server(move |mut tcp| {
        let _ = said.send(());
        while tcp.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
    })?;
    for url in [both_at(address), format!("--url={}", both_at(address))] {
        let mut running = Ping::new(&[&url]).command.spawn()?;
        let connected = heard.recv_timeout(Duration::from_secs(60));
        let shown = std::fs::read(format!("/proc/{}/cmdline", running.id()));
        running.kill()?;
        running.wait()?;
        connected?;
        let shown = String::from_utf8_lossy(&shown?).into_owned();
        ensure!(shown.contains("app@127.0.0.1") && !shown.contains(PASSWORD), "{shown}");
    }
    Ok(())
}
