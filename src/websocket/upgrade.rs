//! The client's half of the opening handshake (RFC 6455, section 4.1).
//!
//! The library writes the request and parses the answer; the steps between are taken here, because its own handshake
//! drops the stream together with a refusal's body, and leaves no room for the frames that a server may be sent along with
//! the request.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    client::IntoClientRequest,
    handshake::{
        client::{Response, generate_request},
        derive_accept_key,
        machine::TryParse,
    },
    http::{HeaderMap, StatusCode, header},
};
use url::Url;

use crate::{
    error::{DbError, Error, Result},
    http::wire::service_error,
};

/// The longest head of an answer that is read: as much as servers commonly allow in a request.
const MAX_HEAD: usize = 16 * 1024;

/// How much of a refusal's body is read, in bytes, and how long it is waited for.
const MAX_BODY: usize = 16 * 1024;
const BODY_PATIENCE: Duration = Duration::from_millis(500);

/// How much of it is quoted, in characters.
const MAX_QUOTE: usize = 400;

/// Sends the request, checks the answer, and returns what came after it.
pub(super) async fn upgrade<S>(stream: &mut S, url: &Url) -> Result<Vec<u8>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A fragment is never sent; a query may hold what should not be repeated in an error.
    let endpoint = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
    let (request, key) = url
        .as_str()
        .into_client_request()
        .and_then(generate_request)
        .map_err(|error| Error::config(format!("the WebSocket URL of {endpoint} cannot be asked for: {error}")))?;
    let lost = |error: io::Error| {
        Error::connect(format!("the connection broke in the WebSocket upgrade of {endpoint}: {error}"))
    };
    stream.write_all(&request).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;

    let mut answer = Vec::with_capacity(1024);
    let (head_size, head) = loop {
        if answer.len() >= MAX_HEAD {
            return Err(Error::connect(format!("the answer to the WebSocket upgrade of {endpoint} has no end")));
        }
        if stream.read_buf(&mut answer).await.map_err(lost)? == 0 {
            return Err(Error::connect(format!("{endpoint} closed the connection before it answered the upgrade")));
        }
        match Response::try_parse(&answer) {
            Ok(Some(parsed)) => break parsed,
            Ok(None) => {}
            Err(error) => {
                let message = format!("the answer to the WebSocket upgrade of {endpoint} is not HTTP/1.1: {error}");
                return Err(Error::connect(message));
            }
        }
    };
    let rest = answer.split_off(head_size.min(answer.len()));

    if head.status() != StatusCode::SWITCHING_PROTOCOLS {
        let body = body(stream, rest, content_length(head.headers())).await;
        let fields = service_error(&body).map(DbError::from);
        let reason =
            fields.as_ref().map_or_else(|| quote(&String::from_utf8_lossy(&body)), |fields| quote(&fields.message));
        let colon = if reason.is_empty() { "" } else { ": " };
        let status = head.status();
        let message = format!("{endpoint} answered the WebSocket upgrade with {status}{colon}{reason}");
        let error = Error::upgrade_refused(status.as_u16(), message);
        return Err(fields.into_iter().fold(error, Error::with_fields));
    }
    check(head.headers(), &key)
        .map_err(|what| Error::connect(format!("{endpoint} answered the WebSocket upgrade wrongly: {what}")))?;
    Ok(rest)
}

/// The rules for an answer of 101, in the RFC's order.
fn check(headers: &HeaderMap, key: &str) -> std::result::Result<(), &'static str> {
    let has_token = |name: header::HeaderName, token: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    if !has_token(header::UPGRADE, "websocket") {
        return Err("its Upgrade header does not say websocket");
    }
    if !has_token(header::CONNECTION, "upgrade") {
        return Err("its Connection header does not say upgrade");
    }
    if headers.get(header::SEC_WEBSOCKET_ACCEPT).is_none_or(|accept| accept != &derive_accept_key(key.as_bytes())) {
        return Err("its Sec-WebSocket-Accept header does not fit the request's key");
    }
    if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        return Err("it wants an extension, and none was offered");
    }
    if headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        return Err("it wants a subprotocol, and none was offered");
    }
    Ok(())
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads the beginning of a refusal's body, as far as it comes soon.
async fn body<S: AsyncRead + Unpin>(stream: &mut S, mut body: Vec<u8>, length: Option<usize>) -> Vec<u8> {
    let wanted = length.unwrap_or(MAX_BODY).min(MAX_BODY);
    let reading =
        async { while body.len() < wanted && stream.read_buf(&mut body).await.is_ok_and(|count| count > 0) {} };
    // What has come by then is told.
    let _ = timeout(BODY_PATIENCE, reading).await;
    body.truncate(wanted);
    body
}

/// Makes one line of the beginning of a text.
fn quote(text: &str) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    words.chars().take(MAX_QUOTE).collect()
}
