use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};

use super::{
    BatchOptions,
    connector::Endpoint,
    wire::{ARRAY_MODE, BATCH_DEFERRABLE, BATCH_ISOLATION_LEVEL, BATCH_READ_ONLY, CONNECTION_STRING, RAW_TEXT_OUTPUT},
};
use crate::{
    config::{Config, Credential},
    error::{Error, Outcome, Result},
};

/// The most bytes of headers that servers take; Neon's closes an HTTP/2 connection, and all requests on it, over more.
const MAX_SIZE: usize = 16 * 1024;

/// What each header counts beside its name and value (RFC 9113, section 6.5.2).
const OVERHEAD: usize = 32;

/// Returns the headers of a request, of which those with a secret are marked so.
pub(super) fn headers(
    config: &Config,
    credential: &Credential,
    endpoint: &Endpoint,
    batch: Option<BatchOptions>,
) -> Result<HeaderMap> {
    const TRUE: HeaderValue = HeaderValue::from_static("true");
    let json = HeaderValue::from_static("application/json");
    let mut headers = HeaderMap::with_capacity(10);
    headers.insert(CONTENT_TYPE, json.clone());
    headers.insert(ACCEPT, json);
    headers.insert(RAW_TEXT_OUTPUT, TRUE);
    headers.insert(ARRAY_MODE, TRUE);
    headers.insert(CONNECTION_STRING, secret(config.connection_string(credential)?.reveal(), "connection string")?);
    if let Credential::Bearer(token) = credential {
        headers.insert(AUTHORIZATION, secret(&format!("Bearer {}", token.reveal()), "bearer token")?);
    }
    if let Some(host) = &endpoint.host {
        headers.insert(HOST, host.clone());
    }
    if let Some(BatchOptions { isolation_level, read_only, deferrable }) = batch {
        if let Some(level) = isolation_level {
            headers.insert(BATCH_ISOLATION_LEVEL, HeaderValue::from_static(level.header_value()));
        }
        for (name, is_set) in [(BATCH_READ_ONLY, read_only), (BATCH_DEFERRABLE, deferrable)] {
            if is_set {
                headers.insert(name, TRUE);
            }
        }
    }
    let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + OVERHEAD;
    let size = headers.iter().map(size).sum::<usize>() + endpoint.url.as_str().len();
    if size > MAX_SIZE {
        return Err(Error::limit(
            format!(
                "the request's headers take {size} bytes, and servers accept {MAX_SIZE}: shorten the password or token"
            ),
            Outcome::NotExecuted,
        ));
    }
    Ok(headers)
}

/// The text never goes into the error.
fn secret(text: &str, what: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::config(format!("the {what} has characters that a header cannot carry")))?;
    value.set_sensitive(true);
    Ok(value)
}
