//! Keeps a password out of the list of processes, which every user of the machine can read.

use std::ffi::OsString;

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
    let Some(text) = arg.to_str() else { return arg.clone() };
    let (flag, url) = match text.split_once('=') {
        Some((flag, url)) if flag == "--upstream" => (Some(flag), url),
        _ => (None, text),
    };
    let Some((scheme, rest)) = url.split_once("://") else { return arg.clone() };
    if !matches!(scheme, "postgresql" | "postgres") {
        return arg.clone();
    }
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((userinfo, after)) = rest.split_at_checked(authority).and_then(|(authority, path)| {
        let (userinfo, host) = authority.rsplit_once('@')?;
        Some((userinfo, format!("@{host}{path}")))
    }) else {
        return arg.clone();
    };
    let user = userinfo.split_once(':').map_or(userinfo, |(user, _)| user);
    let flag = flag.map(|flag| format!("{flag}=")).unwrap_or_default();
    format!("{flag}{scheme}://{user}{after}").into()
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
            ("gateway", "gateway"),
        ] {
            assert_eq!(without_password(&arg.into()), cleaned, "{arg}");
        }
    }
}
