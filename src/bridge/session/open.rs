use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{How, exchange::Exchange};
use crate::{
    bridge::{cancels::Registration, handshake::Local},
    config::Config,
    error::{Error, Outcome, Result},
    execute::{self, Opening, WireClient},
    websocket,
    wire::{BackendKey, TransactionStatus, server},
};

/// A session that the server is ready in.
pub(super) struct Opened {
    pub(super) remote: websocket::Stream,
    pub(super) received: BytesMut,
    pub(super) key: Option<BackendKey>,
}

/// Opens the session before anything else, so that the client is welcomed by what the server told.
pub(super) async fn at_once(
    exchange: &mut Exchange,
    config: &Config,
    opening: &Opening,
    registration: &Registration<'_>,
    how: How,
) -> Result<Option<Opened>> {
    let remote = execute::open(config, opening).await?;
    if !how.is_welcomed {
        server::authentication_ok(&mut exchange.to_client);
    }
    tell_parameters(exchange, &remote);
    if !how.is_welcomed {
        server::backend_key_data(&mut exchange.to_client, registration.key());
        server::ready_for_query(&mut exchange.to_client, remote.transaction_status());
    }
    // The answer will be here when the client's first statement is, or soon after.
    exchange.ask_for_types().map_err(unsendable)?;
    Ok(Some(opened(exchange, remote)))
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
        exchange.take_from_client(&mut local.read)?;
    }
    let first_flight = exchange.first_flight(execute::settings(&opening.parameters).as_deref())?;
    let remote = match execute::open_ahead(config, opening, &first_flight).await {
        Ok(remote) => remote,
        Err(error) => return Ok(Err(error)),
    };
    exchange.patience.heard();
    // The log-in has a limit of its own.
    exchange.patience.restarts();
    tell_parameters(exchange, &remote);
    Ok(Ok(Some(opened(exchange, remote))))
}

fn opened(exchange: &mut Exchange, remote: WireClient) -> Opened {
    let key = remote.backend_key();
    let parts = remote.into_relay();
    if !parts.unsent.is_empty() {
        let behind = exchange.to_server.split();
        exchange.to_server = parts.unsent;
        exchange.to_server.unsplit(behind);
    }
    Opened { remote: parts.stream, received: parts.received, key }
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
