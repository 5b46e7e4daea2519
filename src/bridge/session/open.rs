use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::exchange::Exchange;
use crate::{
    bridge::{
        attend::{attend, cancelled_unsent},
        cancels::Registration,
        handshake::Local,
    },
    config::Config,
    error::{Error, Outcome, Result, SqlState},
    execute::{self, Opening, WireClient},
    websocket,
    wire::{BackendKey, TransactionStatus, server},
};

/// A session that the server is ready in.
pub(super) struct Opened {
    pub(super) remote: websocket::Stream,
    pub(super) received: BytesMut,
    pub(super) key: Option<BackendKey>,
    /// The client wants what it sent with the opening cancelled.
    pub(super) is_cancelled: bool,
}

/// Opens the session before anything else, so that the client is welcomed by what the server told.
///
/// The outer error means that the client is gone.
pub(super) async fn at_once<S>(
    local: &mut Local<S>,
    exchange: &mut Exchange,
    config: &Config,
    opening: &Opening,
    registration: &Registration<'_>,
    is_welcomed: bool,
) -> io::Result<Result<Opened>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Nothing of the client's is on its way yet, so that to cancel it is not to open anything.
    let remote = match attend(local, registration, execute::open(config, opening)).await? {
        Ok(remote) => remote,
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => return Ok(Err(cancelled_unsent())),
        Err(error) => return Ok(Err(error)),
    };
    if !is_welcomed {
        server::authentication_ok(&mut exchange.to_client);
    }
    tell_parameters(exchange, &remote);
    if !is_welcomed {
        server::backend_key_data(&mut exchange.to_client, registration.key());
        server::ready_for_query(&mut exchange.to_client, remote.transaction_status());
    }
    // The answer will be here when the client's first statement is, or soon after.
    Ok(exchange.ask_for_types().map_err(unsendable).map(|()| opened(exchange, remote)))
}

/// Welcomes the client, and opens the session with the first of its messages that needs one: log-in, settings, question for types and
/// these messages leave together. `None` when the client goes before.
///
/// The outer error means that the client is gone.
pub(super) async fn with_first_flight<S>(
    local: &mut Local<S>,
    exchange: &mut Exchange,
    config: &Config,
    opening: &Opening,
    registration: &Registration<'_>,
) -> io::Result<Result<Option<Opened>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    welcome(exchange, opening, registration.key());
    loop {
        let out = exchange.to_client.split();
        if !out.is_empty() {
            local.send(&out).await?;
        }
        if exchange.goodbye {
            return Ok(Ok(None));
        }
        if !exchange.to_server.is_empty() {
            break;
        }
        if !local.fill().await? {
            return Ok(Ok(None));
        }
        registration.forget_cancel();
        exchange.take_from_client(&mut local.read)?;
    }
    let first_flight = exchange.first_flight(execute::settings(&opening.parameters).as_deref())?;
    let (opening, is_cancelled) = noticing(registration, execute::open_ahead(config, opening, &first_flight)).await;
    let remote = match opening {
        Ok(remote) => remote,
        Err(error) => return Ok(Err(error)),
    };
    exchange.patience.heard();
    // The log-in has a limit of its own.
    exchange.patience.restarts();
    tell_parameters(exchange, &remote);
    Ok(Ok(Some(Opened { is_cancelled, ..opened(exchange, remote) })))
}

/// Does something, and tells whether the client wanted it cancelled meanwhile; a client that goes away is noticed after it, when the
/// server's key is known.
async fn noticing<T>(registration: &Registration<'_>, work: impl Future<Output = T>) -> (T, bool) {
    let mut work = std::pin::pin!(work);
    let mut is_cancelled = false;
    loop {
        tokio::select! {
            done = &mut work => return (done, is_cancelled),
            () = registration.cancelled(), if !is_cancelled => is_cancelled = true,
        }
    }
}

fn opened(exchange: &mut Exchange, remote: WireClient) -> Opened {
    let key = remote.backend_key();
    let parts = remote.into_relay();
    if !parts.unsent.is_empty() {
        let behind = exchange.to_server.split();
        exchange.to_server = parts.unsent;
        exchange.to_server.unsplit(behind);
    }
    Opened { remote: parts.stream, received: parts.received, key, is_cancelled: false }
}

/// Says what a client may count on before the server has said anything; that follows.
fn welcome(exchange: &mut Exchange, opening: &Opening, key: BackendKey) {
    /// Those of the settings that a client can ask for which Postgres reports.
    const REPORTED: [&str; 4] = ["application_name", "DateStyle", "IntervalStyle", "TimeZone"];
    let out = &mut exchange.to_client;
    server::authentication_ok(out);
    server::parameter_status(out, "client_encoding", "UTF8");
    server::parameter_status(out, "integer_datetimes", "on");
    for (name, value) in &opening.parameters {
        if let Some(name) = REPORTED.iter().find(|reported| reported.eq_ignore_ascii_case(name)) {
            server::parameter_status(out, name, value);
        }
    }
    server::backend_key_data(out, key);
    server::ready_for_query(out, TransactionStatus::Idle);
}

/// Passes on what the server told of the session when it opened.
fn tell_parameters(exchange: &mut Exchange, remote: &WireClient) {
    for (name, value) in remote.parameters() {
        exchange.note_parameter(name, value);
        server::parameter_status(&mut exchange.to_client, name, value);
    }
}

fn unsendable(error: io::Error) -> Error {
    Error::closed("the question for types cannot be sent", Outcome::NotExecuted).with_source(error)
}
