//! Keeps a URL's password out of the list of processes, which every user of the machine can read, for commands that need it.
//!
//! The command begins again with a command line without it, and the true one in its environment, which only its own user can
//! read.

use std::ffi::OsString;

use crate::gateway::argv::cleaned;

/// Holds the process's id and the true command line, as JSON. An `exec` keeps the id, so that no other process takes it for its own.
const VARIABLE: &str = "PGFERRY_COMMAND_LINE";

/// Returns the command line as it was given at first.
pub(crate) fn given() -> Vec<OsString> {
    restored().unwrap_or_else(|| std::env::args_os().collect())
}

/// Where the command line shows this URL and its password, begins again with one that does not.
///
/// Where the program cannot be started again, it goes on as it is.
pub(crate) fn hide_password(url: &str) {
    let args: Vec<OsString> = std::env::args_os().collect();
    let shown: Vec<OsString> = args.iter().map(|arg| without_password(arg, url)).collect();
    if shown != args {
        restart(&args, &shown);
    }
}

fn without_password(arg: &OsString, url: &str) -> OsString {
    let cleaned = || {
        let flag = arg.to_str()?.strip_suffix(url)?;
        if !(flag.is_empty() || flag.starts_with('-') && flag.ends_with('=')) {
            return None;
        }
        Some(format!("{flag}{}", cleaned(url)?).into())
    };
    cleaned().unwrap_or_else(|| arg.clone())
}

#[cfg(unix)]
fn restart(args: &[OsString], shown: &[OsString]) {
    use std::os::unix::{ffi::OsStrExt, process::CommandExt};

    let bytes: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let (Ok(program), Ok(kept), Some((name, shown))) =
        (std::env::current_exe(), serde_json::to_string(&(std::process::id(), bytes)), shown.split_first())
    else {
        return;
    };
    // Comes back only when it fails.
    let error = std::process::Command::new(program).arg0(name).args(shown).env(VARIABLE, kept).exec();
    tracing::warn!(%error, "the URL's password stays in the list of processes");
}

#[cfg(not(unix))]
fn restart(_args: &[OsString], _shown: &[OsString]) {}

#[cfg(unix)]
fn restored() -> Option<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt;

    let kept = std::env::var(VARIABLE).ok()?;
    let (process, args): (u32, Vec<Vec<u8>>) = serde_json::from_str(&kept).ok()?;
    (process == std::process::id()).then(|| args.into_iter().map(OsString::from_vec).collect())
}

#[cfg(not(unix))]
fn restored() -> Option<Vec<OsString>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_url_is_changed() {
        let url = "postgresql://app:sesame@host/db";
        for (arg, shown) in [
            (url, "postgresql://app@host/db"),
            ("--url=postgresql://app:sesame@host/db", "--url=postgresql://app@host/db"),
            ("select 'postgresql://app:sesame@host/db", "select 'postgresql://app:sesame@host/db"),
            ("postgresql://app:another@host/db", "postgresql://app:another@host/db"),
            ("query", "query"),
        ] {
            assert_eq!(without_password(&arg.into(), url), shown, "{arg}");
        }
    }
}
