use std::{
    fs::File,
    io::Write,
    path::Path,
    process::{Child, Stdio},
};

use anyhow::{Context, Result};

use crate::account::Account;

/// Reads what to end and how, until the word that all is done or the end of its input, which comes too when the process that
/// holds the other end is killed; then ends it and removes its directory. The number of tries bounds the wait for a process that is dead
/// but has no parent to collect it, as in some containers. What was started a moment before the end may still write to the directory.
const SCRIPT: &str = r#"
signal= process=
while read -r word target; do
    [ "$word" = done ] && exit 0
    signal=$word process=$target
done
if [ -n "$process" ]; then
    kill -s "$signal" -- "$process" 2>/dev/null
    tries=0
    while kill -s 0 -- "$process" 2>/dev/null && [ "$tries" -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
fi
tries=0
while [ -n "$1" ] && [ -e "$1" ] && [ "$tries" -lt 100 ]; do
    rm -rf -- "$1" || sleep 0.1
    tries=$((tries + 1))
done
"#;

/// A process that outlives this one and cleans up after it, if it is killed before it can do so itself.
///
/// Dropping it says that nothing is left to do.
#[derive(Debug)]
pub struct Watchdog(Child);

/// How a process is ended whose watchdog is on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A server of PostgreSQL, which ends its own children, and writes down what it has (SIGINT).
    Fast,
    /// A server of PostgreSQL, which ends its own children, and leaves its data as they are (SIGQUIT).
    Immediate,
    /// Any other process, also one that is stopped (SIGKILL).
    Kill,
    /// The group that a process leads, at once (SIGKILL).
    KillGroup,
}

impl Watchdog {
    /// Starts it as an account. At the end it removes the directory, and it holds a lock on the file until then.
    ///
    /// # Errors
    ///
    /// When there is no `sh`, or the system gives no process.
    pub fn start(account: &Account, directory: Option<&Path>, lock: Option<&File>) -> Result<Self> {
        let mut command = account.command("sh");
        command.args(["-c", SCRIPT, "pgferry-watchdog"]).arg(directory.unwrap_or(Path::new("")));
        // It prints nothing: a lock is held for as long as its file is open anywhere, and this keeps it open.
        let output = lock.map(File::try_clone).transpose()?.map_or_else(Stdio::null, Stdio::from);
        let child = command.stdin(Stdio::piped()).stdout(output).stderr(Stdio::null()).spawn();
        Ok(Self(child.context("the watchdog cannot be started")?))
    }

    /// Names the process that it is to end, instead of the one before.
    ///
    /// # Errors
    ///
    /// When it has ended itself.
    pub fn watch(&mut self, process: u32, ending: Ending) -> Result<()> {
        let line = match ending {
            Ending::Fast => format!("INT {process}\n"),
            Ending::Immediate => format!("QUIT {process}\n"),
            Ending::Kill => format!("KILL {process}\n"),
            Ending::KillGroup => format!("KILL -{process}\n"),
        };
        let stdin = self.0.stdin.as_mut().context("the watchdog has no input")?;
        stdin.write_all(line.as_bytes()).context("the watchdog has ended")
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.0.stdin.take() {
            // It can only have ended already.
            let _ = stdin.write_all(b"done\n");
        }
        let _ = self.0.wait();
    }
}
