//! `pgferry query` as whoever types it sees it.

mod auto;
mod dotenv;
mod endings;
mod errors;
mod forms;
mod scripts;
mod secrets;
mod streaming;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use pgferry_test_support::Stage;

use crate::PGFERRY;

const TRANSPORTS: [&str; 2] = ["websocket", "http"];

/// The command without its arguments, free of what the environment of the tests says.
fn pgferry() -> Command {
    let mut command = Command::new(PGFERRY);
    for (name, _) in std::env::vars_os() {
        if ["PG", "DATABASE_", "RUST_LOG", "NO_COLOR", "CLICOLOR"]
            .iter()
            .any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()))
        {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// `pgferry query` against the stage's database.
fn query(stage: &Stage, transport: &str, args: &[&str]) -> Command {
    let mut command = pgferry();
    command.args(["query", "--no-env-file", "--transport", transport]).args(args).env("DATABASE_URL", stage.url());
    command
}

struct Answer {
    status: Option<i32>,
    out: String,
    err: String,
}

fn run(command: &mut Command) -> Answer {
    run_with(command, "")
}

fn run_with(command: &mut Command, input: &str) -> Answer {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // One that ends before it has read everything says why itself.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Answer { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// What a statement prints that goes well.
#[track_caller]
fn printed(stage: &Stage, transport: &str, args: &[&str]) -> String {
    let Answer { status, out, err } = run(&mut query(stage, transport, args));
    assert_eq!((status, err.as_str()), (Some(0), ""), "{transport} {args:?} {out}");
    out
}
