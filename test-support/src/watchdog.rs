use std::{
    io::Write,
    path::Path,
    process::{Child, Stdio},
};

use anyhow::Result;

use crate::account::Account;

/// Waits for a line or for the end of its input, which comes too when the process that holds the other end is killed;
/// then kills the process and removes its directory. The number of tries bounds the wait for a server that is dead but has
/// no parent to collect it, as in some containers.
const SCRIPT: &str = r#"
read -r word && exit 0
kill -"$2" "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
[ -z "$3" ] || rm -rf "$3"
"#;

/// A process that outlives this one and cleans up after it, if it is killed before it can do so itself.
#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    /// Watches over a server of PostgreSQL and its directory, or over another process.
    pub(crate) fn start(account: &Account, process: u32, directory: Option<&Path>) -> Result<Self> {
        let mut command = account.command("sh");
        // An immediate shutdown, by which a server of PostgreSQL ends its own children; what is stopped ends by KILL alone.
        let signal = if directory.is_some() { "QUIT" } else { "KILL" };
        command.args(["-c", SCRIPT, "pgferry-watchdog"]).arg(process.to_string()).arg(signal);
        command.arg(directory.unwrap_or(Path::new("")));
        Ok(Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    /// Tells it that nothing is left to do.
    pub(crate) fn dismiss(&mut self) {
        if let Some(mut stdin) = self.0.stdin.take() {
            // It can only have ended already.
            let _ = stdin.write_all(b"done\n");
        }
        let _ = self.0.wait();
    }
}
