//! What went wrong, for people: the reason, what to try, and the exit status that scripts can tell it by.

use std::{
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
    refused || error.status().is_some_and(|status| status >= 500) && error.outcome() == pgferry::Outcome::NotExecuted
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
    } else if error.is_connect() {
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
    let _ = writeln!(io::stderr(), "pgferry: {error:#}{hint}");
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}", self.0)
    }
}

impl std::error::Error for Told {}
