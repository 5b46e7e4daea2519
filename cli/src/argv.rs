//! Keeps a URL's password out of the list of processes, which every user of the machine can read, for commands that need it.
//!
//! The command begins again with a command line without it, and the true one in its environment, which only its own user can
//! read.

use std::ffi::OsString;

use crate::gateway::argv::cleaned;

/// Holds the process's id and, as JSON, the arguments that are not what the command line shows, by their place. An `exec` keeps
/// the id, so that no other process takes them for its own.
const VARIABLE: &str = "PGFERRY_HIDDEN_ARGUMENTS";

/// Returns the command line as it was given at first.
pub(crate) fn given() -> Vec<OsString> {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    for (place, arg) in hidden() {
        if let Some(shown) = args.get_mut(place) {
            *shown = arg.into();
        }
    }
    args
}

/// Where the command line shows this URL and its password, begins again with one that does not.
///
/// Where the program cannot be started again, it goes on as it is.
pub(crate) fn hide_password(url: &str) {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let mut hidden = Vec::new();
    for (place, arg) in args.iter_mut().enumerate() {
        if let Some((shown, given)) = arg.to_str().and_then(|arg| Some((without_password(arg, url)?, arg.to_owned()))) {
            *arg = shown.into();
            hidden.push((place, given));
        }
    }
    if !hidden.is_empty() {
        restart(&args, &hidden);
    }
}

/// The argument without the password, if it is the URL or a flag with it.
fn without_password(arg: &str, url: &str) -> Option<String> {
    let flag = arg.strip_suffix(url)?;
    if !(flag.is_empty() || flag.starts_with('-') && flag.ends_with('=')) {
        return None;
    }
    Some(format!("{flag}{}", cleaned(url)?)).filter(|shown| shown != arg)
}

#[cfg(unix)]
fn restart(args: &[OsString], hidden: &[(usize, String)]) {
    use std::os::unix::process::CommandExt;

    let (Ok(program), Ok(hidden), Some((name, args))) =
        (std::env::current_exe(), serde_json::to_string(&(std::process::id(), hidden)), args.split_first())
    else {
        return;
    };
    // Comes back only when it fails.
    let error = std::process::Command::new(program).arg0(name).args(args).env(VARIABLE, hidden).exec();
    tracing::warn!(%error, "the URL's password stays in the list of processes");
}

#[cfg(not(unix))]
fn restart(_args: &[OsString], _hidden: &[(usize, String)]) {}

fn hidden() -> Vec<(usize, String)> {
    let hidden = || {
        let (process, hidden): (u32, _) = serde_json::from_str(&std::env::var(VARIABLE).ok()?).ok()?;
        (std::process::id() == process).then_some(hidden)
    };
    hidden().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_url_is_changed() {
        let url = "postgresql://app:sesame@host/db";
        for (arg, shown) in [
            (url, Some("postgresql://app@host/db")),
            ("--url=postgresql://app:sesame@host/db", Some("--url=postgresql://app@host/db")),
            ("select 'postgresql://app:sesame@host/db", None),
            ("postgresql://app:another@host/db", None),
            ("query", None),
        ] {
            assert_eq!(without_password(arg, url).as_deref(), shown, "{arg}");
        }
        assert_eq!(without_password("postgresql://app@host/db", "postgresql://app@host/db"), None);
    }
}
