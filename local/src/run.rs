use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::watchdog::{Ending, Watchdog};

/// How much of what a program said is repeated: its reason is at the end.
const LAST_LINES: usize = 12;

/// Runs a program, the leader of a group, to its end with a text as its input. A watchdog ends it with this process.
pub(crate) fn run(command: &mut Command, input: &str, watchdog: Option<&mut Watchdog>) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} cannot be started"))?;
    let watched = watchdog.map_or(Ok(()), |watchdog| watchdog.watch(child.id(), Ending::KillGroup));
    // Where the program has ended without reading, its own message tells more.
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{program} failed with {}: {}", output.status, last_lines(&String::from_utf8_lossy(&output.stderr)));
    }
    watched?;
    written.with_context(|| format!("{program} did not read its input"))
}

/// Returns the end of what a program said.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_the_programs_own_last_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 100 >&2; echo 'no space is left' >&2; exit 3"]);
        let error = run(&mut command, "not read", None).unwrap_err().to_string();
        assert!(error.contains("status: 3") && error.ends_with("99\n100\nno space is left"), "{error}");
        assert!(!error.contains("\n50\n"), "{error}");
    }
}
