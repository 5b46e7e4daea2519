//! What it means that a request got no response.

use std::{error::Error as StdError, io, iter};

use super::tracked_body::Sent;
use crate::{
    config::Config,
    error::{Error, Outcome},
};

/// Returns whether the server said that it did not act on a request, so that it may be sent again at once: a stream
/// refused (RFC 9113, section 8.7), or one that came after the last that a closing connection still serves (section 6.8).
///
/// h2 gives the second error only to streams beyond the one that the GOAWAY frame names.
pub(super) fn is_refused_by_server(error: &reqwest::Error) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<h2::Error>()).any(|error| {
        let reason = error.reason();
        error.is_remote()
            && ((error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM))
                || (error.is_go_away() && reason == Some(h2::Reason::NO_ERROR)))
    })
}

/// Returns the error of a request that got no response.
pub(super) fn send_error(error: reqwest::Error, host: &str, config: &Config, sent: &Sent) -> Error {
    // The URL can hold nothing secret, but it adds nothing either.
    let error = error.without_url();
    if error.is_builder() {
        return Error::config("the HTTP request cannot be built").with_source(error);
    }
    if error.is_connect() {
        return if let Some(tls) = tls_error(&error) {
            // What is the cause is in the message, and the wrappers around it tell nothing.
            Error::tls(format!("the TLS handshake with {host} failed: {tls}"))
        } else if error.is_timeout() {
            let after = config.get_connect_timeout();
            Error::timeout(&format!("connection to {host}"), after, Outcome::NotExecuted).with_source(error)
        } else {
            Error::connect(format!("no connection to {host} ({})", root_cause(&error)))
        };
    }
    if sent.get() {
        lost(error)
    } else {
        Error::closed("the connection was lost before the request was sent", Outcome::NotExecuted).with_source(error)
    }
}

/// Returns the error of a connection that was lost after the request was sent.
pub(super) fn lost(error: reqwest::Error) -> Error {
    let error = error.without_url();
    Error::closed("the connection was lost before the whole response arrived", Outcome::Unknown).with_source(error)
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(held_tls_error)
}

/// An `io::Error`'s source is that of the error it holds, which it thereby hides.
fn held_tls_error<'e>(cause: &'e (dyn StdError + 'static)) -> Option<&'e rustls::Error> {
    cause.downcast_ref().or_else(|| held_tls_error(cause.downcast_ref::<io::Error>()?.get_ref()?))
}

fn root_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut cause = error.source();
    iter::from_fn(move || {
        let current = cause?;
        cause = current.source();
        Some(current)
    })
}
