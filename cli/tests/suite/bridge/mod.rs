//! `pgferry bridge`, and other people's clients through it.

mod dump;
mod endings;
mod greeting;
mod mistakes;
mod psql;
mod refusals;
mod sqlx_command;
mod sqlx_crate;
mod sqlx_test;
mod tokio_postgres;

use std::{
    collections::HashMap,
    ffi::OsStr,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use pgferry_local::Installation;
use pgferry_test_support::Stage;

use crate::{PGFERRY, running::Running};

/// The transports over which nothing tells the bridge from the server behind it.
const FAITHFUL: [&str; 2] = ["websocket", "auto"];

const TRANSPORTS: [&str; 3] = ["websocket", "auto", "http"];

/// A bridge that runs, and what it said.
struct Bridge {
    running: Running,
    lines: HashMap<String, String>,
}

impl Bridge {
    /// Starts one before the stage's database, with a new password, on a free port.
    fn start(stage: &Stage, transport: &str) -> Self {
        Self::with(&mut bridge(&stage.url(), &["--transport", transport]))
    }

    fn with(command: &mut Command) -> Self {
        let mut running = Running::start(command);
        let lines = running.first_lines(6);
        assert_eq!(lines.len(), 6, "{lines:?} {}", running.kill());
        let lines = lines.iter().map(|line| line.split_once('=').expect("a name and a value"));
        let lines = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { running, lines }
    }

    fn line(&self, name: &str) -> &str {
        &self.lines[name]
    }

    fn url(&self) -> &str {
        self.line("DATABASE_URL")
    }

    /// The URL of another database.
    fn url_of(&self, database: &str) -> String {
        let (start, _) = self.url().rsplit_once('/').expect("the database");
        format!("{start}/{database}?sslmode=disable")
    }
}

/// The command `pgferry bridge` on a free port, free of what the environment of the tests says.
fn bridge(url: &str, args: &[&str]) -> Command {
    let mut command = clean(PGFERRY);
    command.args(["bridge", "--no-env-file", "--listen", "127.0.0.1:0"]).args(args).env("DATABASE_URL", url);
    command
}

/// A command that reads nothing of the environment of the tests.
fn clean(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let variables = std::env::vars_os().map(|(name, _)| name);
    for name in variables.filter(|name| {
        ["PG", "DATABASE_", "SQLX_", "RUST_LOG"]
            .iter()
            .any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()))
    }) {
        command.env_remove(name);
    }
    command.env("PGCONNECT_TIMEOUT", "20").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// One of PostgreSQL's own clients.
fn client(name: &str) -> Command {
    let psql = Installation::find().expect("PostgreSQL is installed").psql().expect("with psql");
    let program: PathBuf = psql.with_file_name(name);
    clean(program)
}

/// `psql` that reads no settings of its user's and prints rows alone, with `|` between columns.
fn psql(url: &str) -> Command {
    let mut psql = client("psql");
    psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password", "--dbname", url]);
    psql
}

/// Runs a script in `psql`; what it prints, notices and errors among the rows.
fn script(url: &str, script: &str) -> String {
    let mut psql = psql(url);
    // Notices and errors come in their places only where both are one pipe.
    psql.args(["--echo-errors", "--set", "VERBOSITY=default"]);
    let Output { status: _, stdout, stderr } = feed(&mut psql, script);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    text(stdout) + &text(stderr)
}

/// What a script prints in which nothing fails.
#[track_caller]
fn printed(url: &str, script: &str) -> String {
    let mut psql = psql(url);
    psql.args(["--set", "ON_ERROR_STOP=1"]);
    succeeds(&feed(&mut psql, script))
}

fn feed(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the command starts");
    // One that ends before it has read everything says why itself.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("the command ends")
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// Waits until a condition of the server's holds.
#[track_caller]
fn until(stage: &Stage, condition: &str) {
    for _ in 0..400 {
        if stage.psql(condition) == "t" {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{condition} never holds");
}
