//! Keeps a password out of the list of processes, which every user of the machine can read.

use std::ffi::OsString;

use percent_encoding::percent_decode_str;

const FLAG: &str = "--upstream=";

/// Whether the command line itself names a server, and not only the environment.
pub(super) fn names_upstream() -> bool {
    std::env::args_os().filter_map(|arg| arg.into_string().ok()).any(|arg| format!("{arg}=").starts_with(FLAG))
}

/// Where the command line has a password, begins again with a command line without it.
///
/// The password is never needed: callers log in with their own. Where the program cannot be started again, it goes on as
/// it is.
pub(super) fn hide_password() {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let cleaned: Vec<OsString> = args.iter().map(without_password).collect();
    if cleaned != args {
        restart(&cleaned);
    }
}

#[cfg(unix)]
fn restart(args: &[OsString]) {
    use std::os::unix::process::CommandExt;

    let Ok(program) = std::env::current_exe() else { return };
    let mut command = std::process::Command::new(program);
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    // Comes back only when it fails.
    let error = command.args(args).exec();
    tracing::warn!(%error, "the upstream's password stays in the list of processes");
}

#[cfg(not(unix))]
fn restart(_args: &[OsString]) {}

fn without_password(arg: &OsString) -> OsString {
    arg.to_str().and_then(cleaned).map_or_else(|| arg.clone(), OsString::from)
}

/// The argument without the password, where it is the upstream's URL, which has been found well-formed before.
pub(crate) fn cleaned(arg: &str) -> Option<String> {
    let flag = [FLAG, "--allow-address="].into_iter().find(|flag| arg.starts_with(flag));
    let (flag, url) = match flag.and_then(|flag| Some((flag, arg.strip_prefix(flag)?))) {
        Some(found) => found,
        None => ("", arg),
    };
    let (scheme, rest) = url.split_once("://")?;
    if !["postgresql", "postgres"].iter().any(|name| scheme.eq_ignore_ascii_case(name)) {
        return None;
    }
    let (authority, after) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
    let (user, host) = match authority.rsplit_once('@') {
        Some((userinfo, host)) => (userinfo.split(':').next().unwrap_or_default(), format!("@{host}")),
        None => ("", authority.to_owned()),
    };
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    let kept: Vec<_> = query.split('&').filter(|pair| !is_password(pair)).collect();
    let question_mark = if kept.concat().is_empty() { "" } else { "?" };
    Some(format!("{flag}{scheme}://{user}{host}{path}{question_mark}{}", kept.join("&")))
}

fn is_password(pair: &str) -> bool {
    let key = pair.split('=').next().unwrap_or_default();
    percent_decode_str(key).decode_utf8_lossy().eq_ignore_ascii_case("password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_taken_out() {
        for (arg, cleaned) in [
            ("postgresql://app:sesame@host:5432/db?x=y", "postgresql://app@host:5432/db?x=y"),
            ("--upstream=postgres://app:se:sa@me@host", "--upstream=postgres://app@host"),
            ("postgresql://app@host/db", "postgresql://app@host/db"),
            ("postgresql://host:5432/db@x", "postgresql://host:5432/db@x"),
            ("--allow-origin=http://a:b@c", "--allow-origin=http://a:b@c"),
            ("POSTGRESQL://app:sesame@host/db", "POSTGRESQL://app@host/db"),
            ("postgresql://host/db?user=app&password=sesame", "postgresql://host/db?user=app"),
            ("--upstream=postgresql://host?pass%77ord=sesame", "--upstream=postgresql://host"),
            ("postgresql://:sesame@host?password=a&sslmode=require", "postgresql://@host?sslmode=require"),
            ("--allow-address=postgresql://app:sesame@host", "--allow-address=postgresql://app@host"),
            ("gateway", "gateway"),
        ] {
            assert_eq!(without_password(&arg.into()), cleaned, "{arg}");
        }
    }
}
