//! Postgres in a WebSocket (PROTOCOL.md, section 3).

mod goodbye;
mod log_in;
mod opening;
mod queue;
mod relay;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use pgferry::{DbError, websocket::ByteStream, wire::server};
use tokio::{io::AsyncWriteExt, select};

use crate::{gateway::Shared, upstream::SharedUpstream, ws_auth::WsAuth};
use goodbye::Goodbye;
use log_in::Caller;
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
    if let Err(Goodbye(error)) = served {
        tracing::debug!(%error, "a session ended early");
        // A client that is gone does not need to be told.
        let _ = report(&mut stream, &error).await;
    }
    let _ = stream.shutdown().await;
}

/// Errors are those that the client has not been told yet, before its session began.
async fn serve(shared: &Shared, stream: &mut Stream, upstream: &SharedUpstream) -> Result<(), Goodbye> {
    let mut unread = BytesMut::new();
    let (mut raw, startup) = match opening::read(stream, &mut unread).await? {
        None => return Ok(()),
        Some(Request::Cancel(key)) => return Ok(upstream.cancel(key).await?),
        Some(Request::Session { raw, startup }) => (raw, startup),
    };
    match shared.config.ws_auth {
        WsAuth::Cleartext => {
            let Some(Caller { startup, greeting }) = log_in::ask(stream, &mut unread, startup).await? else {
                return Ok(());
            };
            let Some(_slot) = queue::wait(shared, stream, &mut unread, &startup.user).await? else {
                return Ok(());
            };
            let log_in::Session { upstream: session, key, greeting } =
                log_in::log_in(upstream, &startup, greeting).await?;
            relay(stream, session, Abandoned::new(upstream, key), unread, greeting).await;
        }
        WsAuth::Relay => {
            let user = startup.parameters.iter().find(|(name, _)| name == "user");
            let role = user.map(|(_, user)| user.as_str()).unwrap_or_default();
            let Some(_slot) = queue::wait(shared, stream, &mut unread, role).await? else {
                return Ok(());
            };
            let session = upstream.connect().await?;
            raw.extend_from_slice(&unread);
            relay(stream, session, Abandoned::new(upstream, None), raw, Bytes::new()).await;
        }
    }
    Ok(())
}

/// Tells a client why it has no session.
async fn report(stream: &mut Stream, error: &DbError) -> std::io::Result<()> {
    let mut out = BytesMut::new();
    server::error_response(&mut out, error);
    stream.write_all(&out).await?;
    stream.flush().await
}
