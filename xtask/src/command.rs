use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    process::{Command, ExitStatus, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};

/// Prints a line to who called the command.
pub(crate) fn say(line: &str) {
    // A reader that is gone does not make a check fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line about a failure.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "error: {line}");
}

/// Returns the cargo that runs this command.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(arguments);
    command
}

/// Runs a command whose output is the user's to read.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{} cannot be started", describe(command)))?;
    check(command, status)
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} cannot be started", describe(command)))?;
    check(command, output.status)?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command whose output is the user's to read, and returns it as well, also where the command failed.
pub(crate) fn watched(command: &mut Command) -> Result<(Result<()>, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} cannot be started", describe(command)))?;
    let readers = [
        child.stdout.take().map(|output| thread::spawn(move || copy(output, std::io::stdout()))),
        child.stderr.take().map(|output| thread::spawn(move || copy(output, std::io::stderr()))),
    ];
    let text = readers.into_iter().flatten().filter_map(|reader| reader.join().ok()).collect();
    let status = child.wait()?;
    Ok((check(command, status), text))
}

fn copy(from: impl Read, mut to: impl Write) -> String {
    let mut all = String::new();
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let _ = writeln!(to, "{line}");
        all.push_str(&line);
        all.push('\n');
    }
    all
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{} failed with {status}", describe(command));
    }
    Ok(())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
