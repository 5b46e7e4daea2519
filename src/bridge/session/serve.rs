use std::{io, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time,
};

use super::{Client, Ended, How, end::End, exchange::Exchange, patience::Patience, pump};
use crate::{
    bridge::{
        cancels::Registration,
        handshake::{Local, fatal},
        shared::Shared,
    },
    config::{Config, Describe},
    execute::{self, Opening, WireClient},
    wire::{BackendKey, server},
};

/// How long the server is given to hear that a statement is no longer wanted, and a client to hear why its connection ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// Serves a client over a WebSocket of its own, until it goes or can go on without.
///
/// What the client sent before must have been consumed up to the end of a flight of its own.
pub(in crate::bridge) async fn serve<S>(
    client: Client<S>,
    opening: &Opening,
    shared: &Shared,
    registration: &Registration<'_>,
    how: How,
) -> io::Result<Ended<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let Client { mut local, statements, types, may_be_sqlx } = client;
    let remote = match execute::open(shared.config(), opening).await {
        Ok(remote) => remote,
        Err(error) if how.is_welcomed => {
            return Ok(Ended::Unopened(Client { local, statements, types, may_be_sqlx }, error));
        }
        Err(error) => return local.send_fatal(&error).await.map(|()| Ended::Gone),
    };
    let key = remote.backend_key();
    registration.set_session(key);
    let config = shared.config();
    let is_late = config.get_describe().unwrap_or_default() == Describe::Late;
    let patience = Patience::new(config.get_request_timeout());
    let mut exchange = Exchange::new(statements, types, shared.types().of(opening), is_late, patience);
    tell_parameters(&mut exchange, &remote);
    if !how.is_welcomed {
        let mut out = BytesMut::new();
        server::authentication_ok(&mut out);
        out.unsplit(std::mem::take(&mut exchange.to_client));
        server::backend_key_data(&mut out, registration.key());
        server::ready_for_query(&mut out, remote.transaction_status());
        exchange.to_client = out;
    }
    let (mut remote, mut received) = remote.into_parts();
    let Local { stream, read } = &mut local;
    let end = pump::run(stream, read, &mut remote, &mut received, &mut exchange, how.leaves_after).await;
    tracing::debug!(?end, "a client's session ended");

    let is_running = exchange.is_running();
    let is_remote_gone = matches!(end, End::Remote(_));
    let ended = if matches!(end, End::Idle) {
        Ended::Idle(Client { local, statements: exchange.statements, types: exchange.told, may_be_sqlx })
    } else {
        if let Some(error) = end.error(is_running)
            && exchange.can_speak()
        {
            fatal(&mut exchange.to_client, error.to_db_error());
        }
        // A client that does not read, or is gone as well, needs no telling.
        let _ = time::timeout(GOODBYE, say_goodbye(&mut local.stream, &exchange.to_client)).await;
        drop(local);
        Ended::Gone
    };
    registration.set_session(None);
    if is_running && !is_remote_gone {
        abandon(config, key).await;
    }
    // A peer that does not answer the goodbye is left; the stream bounds its own closing handshake.
    let _ = time::timeout(GOODBYE, remote.shutdown()).await;
    Ok(ended)
}

/// Passes on what the server told of the session when it opened.
fn tell_parameters(exchange: &mut Exchange, remote: &WireClient) {
    for (name, value) in remote.parameters() {
        exchange.note_parameter(name, value);
        server::parameter_status(&mut exchange.to_client, name, value);
    }
}

async fn say_goodbye<S: AsyncWrite + Unpin>(stream: &mut S, last: &BytesMut) -> io::Result<()> {
    stream.write_all(last).await?;
    stream.shutdown().await
}

/// Asks the server to stop what nobody waits for any more.
async fn abandon(config: &Config, key: Option<BackendKey>) {
    if let Some(key) = key {
        match time::timeout(GOODBYE, execute::cancel(config, key)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an abandoned statement could not be cancelled"),
            Err(_) => tracing::debug!("an abandoned statement could not be cancelled in time"),
        }
    }
}
