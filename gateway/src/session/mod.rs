//! Postgres in a WebSocket (PROTOCOL.md, section 3).

mod log_in;
mod opening;
mod relay;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use pgferry::{DbError, Error, SqlState, websocket::ByteStream, wire::server};
use tokio::{io::AsyncWriteExt, select};

use crate::{gateway::Shared, upstream::SharedUpstream, ws_auth::WsAuth};
use opening::Request;
use relay::{Abandoned, relay};

type Stream = ByteStream<TokioIo<Upgraded>>;

/// Serves one WebSocket until either side is done, and closes it.
pub(crate) async fn run(shared: Arc<Shared>, upgrade: OnUpgrade, upstream: SharedUpstream) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "a client gave up before its upgrade"),
    };
    let mut stream = ByteStream::accepted(TokioIo::new(upgraded)).await;
    let served = select! {
        served = serve(&shared, &mut stream, &upstream) => served,
        () = shared.draining.cancelled() => Ok(()),
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a session ended early");
        // A client that is gone does not need to be told.
        let _ = report(&mut stream, &error).await;
    }
    let _ = stream.shutdown().await;
}

/// Errors are those that the client has not been told yet, before its session began.
async fn serve(shared: &Shared, stream: &mut Stream, upstream: &SharedUpstream) -> Result<(), Error> {
    let mut unread = BytesMut::new();
    match opening::read(stream, &mut unread).await? {
        None => Ok(()),
        Some(Request::Cancel(key)) => upstream.cancel(key).await,
        Some(Request::Session { mut raw, startup }) => match shared.config.ws_auth {
            WsAuth::Cleartext => {
                let Some(log_in::Session { upstream: session, key, greeting }) =
                    log_in::cleartext(stream, &mut unread, startup, upstream).await?
                else {
                    return Ok(());
                };
                relay(stream, session, Abandoned::new(upstream, key), unread, greeting).await;
                Ok(())
            }
            WsAuth::Relay => {
                let session = upstream.connect().await?;
                raw.extend_from_slice(&unread);
                relay(stream, session, Abandoned::new(upstream, None), raw, Bytes::new()).await;
                Ok(())
            }
        },
    }
}

/// Tells a client why it has no session.
async fn report(stream: &mut Stream, error: &Error) -> std::io::Result<()> {
    let mut out = BytesMut::new();
    match error.as_db_error() {
        Some(db) => server::error_response(&mut out, db),
        None => {
            let code = if error.is_connect() { SqlState::from_code("08006") } else { error.sql_state() };
            server::error_response(&mut out, &DbError::new("FATAL", Some(code), error.message()));
        }
    }
    stream.write_all(&out).await?;
    stream.flush().await
}
