use std::{io, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time,
};

use super::{
    Client, Ended, How,
    end::End,
    exchange::Exchange,
    open::{self, Opened},
    patience::Patience,
    pump,
};
use crate::{
    bridge::{
        cancels::Registration,
        handshake::{Local, fatal},
        shared::Shared,
    },
    config::Config,
    execute::{self, Opening},
    websocket,
    wire::BackendKey,
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
    let config = shared.config();
    let Client { mut local, statements, types, may_be_sqlx, describes_always } = client;
    let patience = Patience::new(config.get_request_timeout());
    let http = how.http.clone();
    let mut exchange =
        Exchange::new(statements, types, shared.types().of(opening), how.http, !describes_always, patience);
    // Where nothing is to be verified, the log-in waits for what can travel with it.
    let is_joined = !how.is_welcomed && !shared.verifies() && config.pipelines_password();
    let opened = if is_joined {
        open::with_first_flight(&mut local, &mut exchange, config, opening, registration).await?
    } else {
        open::at_once(&mut local, &mut exchange, config, opening, registration, how.is_welcomed).await?.map(Some)
    };
    let Opened { mut remote, mut received, key, is_cancelled } = match opened {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(Ended::Gone),
        Err(error) if how.is_welcomed => {
            let client =
                Client { local, statements: exchange.statements, types: exchange.told, may_be_sqlx, describes_always };
            return Ok(Ended::Unopened(client, error));
        }
        Err(error) => return local.send_fatal(&error).await.map(|()| Ended::Gone),
    };
    registration.set_session(key);
    if let Some(key) = key.filter(|_| is_cancelled) {
        // What is to be cancelled is on its way, so nothing waits for this.
        let config = config.clone();
        shared.runtime().spawn(async move {
            if let Err(error) = execute::cancel(&config, key).await {
                tracing::debug!(%error, "a cancel request could not be passed on");
            }
        });
    }
    let Local { stream, read } = &mut local;
    let end = pump::run(stream, read, &mut remote, &mut received, &mut exchange, how.leaves_after).await;
    tracing::debug!(?end, "a client's session ended");

    if end.is_of_a_broken_way()
        && let Some(http) = http
    {
        http.forget_connections();
    }
    let is_running = exchange.is_running();
    let is_remote_gone = matches!(end, End::Remote(_));
    registration.set_session(None);
    if matches!(end, End::Idle) {
        // The client's next statement does not wait for it.
        shared.runtime().spawn(close(remote));
        return Ok(Ended::Idle(Client {
            local,
            statements: exchange.statements,
            types: exchange.told,
            may_be_sqlx,
            describes_always,
        }));
    }
    if let Some(error) = end.error(is_running)
        && exchange.can_speak()
    {
        fatal(&mut exchange.to_client, error.to_db_error());
    }
    // A client that does not read, or is gone as well, needs no telling.
    let _ = time::timeout(GOODBYE, say_goodbye(&mut local.stream, &exchange.to_client)).await;
    drop(local);
    if is_running && !is_remote_gone {
        abandon(config, key).await;
    }
    close(remote).await;
    Ok(Ended::Gone)
}

/// Says goodbye to the server.
async fn close(mut remote: websocket::Stream) {
    // A peer that does not answer is left; the stream bounds its own closing handshake.
    let _ = time::timeout(GOODBYE, remote.shutdown()).await;
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
