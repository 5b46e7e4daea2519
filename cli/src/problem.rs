//! What went wrong, for people: the reason, what to try, and the exit status that scripts can tell it by.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
    process::ExitCode,
};

/// A statement failed, or whatever else is not below.
pub(crate) const FAILED: u8 = 1;
/// The command line, a setting or a file given by it is not understood; clap gives the same.
pub(crate) const USAGE: u8 = 2;
/// There is no session: the endpoint cannot be reached, or does not let the caller in.
pub(crate) const NO_CONNECTION: u8 = 3;
/// Ctrl-C, as shells tell it.
pub(crate) const INTERRUPTED: u8 = 130;
/// Whoever read the output is gone, as shells tell it.
pub(crate) const BROKEN_PIPE: u8 = 141;

/// A mistake in how the command was called.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

/// An end that was told already, or needs no words.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) u8);

/// Says why the command failed and what to try; returns the exit status.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(Told(status)) = error.downcast_ref() {
        return ExitCode::from(*status);
    }
    if error.is::<Usage>() {
        complain(error, None);
        return ExitCode::from(USAGE);
    }
    let ours = error.downcast_ref::<pgferry::Error>();
    complain(error, ours.and_then(hint));
    ExitCode::from(ours.map_or(FAILED, exit_status))
}

/// Returns the exit status for an error of pgferry's.
pub(crate) fn exit_status(error: &pgferry::Error) -> u8 {
    if error.is_config() {
        USAGE
    } else if error.is_connect() || error.is_auth() || refuses_session(error) {
        NO_CONNECTION
    } else {
        FAILED
    }
}

/// Whether Postgres, or the service in front of it, let nobody in: an unknown database, no more connections, a server that is
/// down, starts or ends.
fn refuses_session(error: &pgferry::Error) -> bool {
    let refused = error.as_db_error().is_some_and(|error| error.severity == "FATAL")
        && error
            .code()
            .map(|code| code.as_str())
            .is_some_and(|code| code.starts_with("08") || ["3D000", "53300", "57P03"].contains(&code));
    refused || is_no_endpoint(error) || passes(error)
}

/// Whether what answers has no endpoint at this path: it redirects, knows no such page, or does not know what is asked for.
fn is_no_endpoint(error: &pgferry::Error) -> bool {
    error.status().is_some_and(|status| matches!(status, 200..=399 | 404 | 405 | 410 | 421 | 426 | 501 | 505))
}

/// Whether what stands in front of Postgres turned a statement away before it ran, for a reason that passes.
pub(crate) fn passes(error: &pgferry::Error) -> bool {
    error.outcome() == pgferry::Outcome::NotExecuted
        && error.status().is_some_and(|status| matches!(status, 429 | 500 | 502..=504 | 506..=599))
}

/// Returns what to try, where there is something to try that the error does not say itself.
pub(crate) fn hint(error: &pgferry::Error) -> Option<&'static str> {
    if error.is_auth() {
        Some(
            "Check the user and the password. In a URL, percent-encode what is not a letter or a digit; PGPASSWORD takes a \
             password as it is.",
        )
    } else if error.is_tls() {
        Some(
            "For a certificate of an authority of your own, add sslrootcert=FILE to the URL. A server without TLS has http: and \
             ws: endpoints: see http_url and ws_url.",
        )
    } else if error.as_db_error().is_some_and(|fields| fields.hint.is_some()) {
        None
    } else if passes(error) {
        Some("Try again in a moment: nothing was run. Where it stays so, the log of what answers there may say why.")
    } else if is_no_endpoint(error) || error.is_connect() && error.status().is_none() {
        Some(
            "Check the host, and that an HTTP or WebSocket endpoint for Postgres listens there, which Postgres itself does not: \
             pgferry gateway is one. http_url and ws_url say where.",
        )
    } else if error.is_timeout() {
        Some(
            "pgferry ping shows which step takes how long. connect_timeout and request_timeout in the URL say how long to wait.",
        )
    } else {
        None
    }
}

/// Returns the problem that an output cannot be written.
pub(crate) fn write_error(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Told(BROKEN_PIPE).into(),
        _ => anyhow::Error::new(error).context("the output cannot be written"),
    }
}

fn complain(error: &anyhow::Error, hint: Option<&str>) {
    let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "pgferry: {}{hint}", told(error.as_ref()));
}

/// Returns the error with its causes, as far as they say what was not said.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !told.contains(&words) {
            told.push_str(": ");
            told.push_str(&words);
        }
        cause = error.source();
    }
    told
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}", self.0)
    }
}

impl Error for Told {}
