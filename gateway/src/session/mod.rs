//! Postgres in a WebSocket (PROTOCOL.md, section 3).

mod farewell;
mod goodbye;
mod log_in;
mod opening;
mod queue;
mod relay;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use pgferry::{DbError, websocket::ByteStream, wire::server};
use tokio::{io::AsyncWriteExt, select};

use crate::{
    faults::{Ended, Relay},
    gateway::Shared,
    metrics::OpenSession,
    upstream::SharedUpstream,
    ws_auth::WsAuth,
};
use farewell::Farewell;
use goodbye::Goodbye;
use log_in::Caller;
use opening::Request;
use relay::{Abandoned, relay};

type Stream = ByteStream<TokioIo<Upgraded>>;

/// Serves one WebSocket until either side is done, and closes it.
pub(crate) async fn run(shared: Arc<Shared>, upgrade: OnUpgrade, upstream: SharedUpstream, id: String) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "a client gave up before its upgrade"),
    };
    let mut stream = ByteStream::accepted(TokioIo::new(upgraded)).await;
    // A session that is relayed ends between two of Postgres's messages.
    let begun = AtomicBool::new(false);
    let drained = async {
        shared.draining.cancelled().await;
        if begun.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let served = select! {
        served = serve(&shared, &mut stream, &upstream, &id, &begun) => served,
        () = drained => Err(Goodbye::shutting_down()),
    };
    match served {
        Ok(Ended::Cut) => return,
        Ok(Ended::Quietly | Ended::Abandoned) => {}
        Err(Goodbye(error)) => {
            tracing::debug!(%error, "a session ended early");
            // A client that is gone does not need to be told.
            let _ = report(&mut stream, &error).await;
        }
    }
    let _ = stream.shutdown().await;
}

/// Errors are those that the client has not been told yet, before its session began.
async fn serve(
    shared: &Shared,
    stream: &mut Stream,
    upstream: &SharedUpstream,
    id: &str,
    begun: &AtomicBool,
) -> Result<Ended, Goodbye> {
    let mut unread = BytesMut::new();
    let (raw, startup) = match opening::read(stream, &mut unread).await? {
        None => return Ok(Ended::Quietly),
        Some(Request::Cancel(key)) => {
            shared.metrics.cancelled();
            upstream.cancel(key).await?;
            return Ok(Ended::Quietly);
        }
        Some(Request::Session { raw, startup }) => (raw, startup),
    };
    let faults = match &shared.faults {
        None => None,
        Some(faults) => Some((faults, faults.log_in().await.map_err(Goodbye)?)),
    };
    let (slot, session, startup, greeting) = match shared.config.ws_auth {
        WsAuth::Cleartext => {
            let Some(Caller { startup, greeting }) = log_in::ask(stream, &mut unread, startup).await? else {
                return Ok(Ended::Quietly);
            };
            let Some(slot) = queue::wait(shared, stream, &mut unread, &startup.user).await? else {
                return Ok(Ended::Quietly);
            };
            let log_in::Session { upstream, greeting } =
                log_in::log_in(upstream, &startup, greeting).await.inspect_err(|error| failed(shared, error))?;
            (slot, upstream, BytesMut::new(), greeting)
        }
        WsAuth::Relay => {
            let user = startup.parameters.iter().find(|(name, _)| name == "user");
            let role = user.map(|(_, user)| user.as_str()).unwrap_or_default();
            let Some(slot) = queue::wait(shared, stream, &mut unread, role).await? else {
                return Ok(Ended::Quietly);
            };
            (slot, upstream.connect().await?, raw, Bytes::new())
        }
    };
    let _open = Open::begin(shared, id);
    begun.store(true, Ordering::Relaxed);
    let session = Farewell::new(session, &greeting, &shared.draining, &shared.ending);
    let abandoned = Abandoned::new(upstream, session.key(), &shared.cancels, slot);
    let Some((faults, log_in)) = faults else {
        // One of them is empty, as a rule.
        let mut first = startup;
        first.unsplit(unread);
        relay(stream, session, abandoned, first, greeting).await;
        return Ok(Ended::Quietly);
    };
    let relay = Relay { faults, log_in, client: stream, upstream: session, startup, unread, greeting };
    let ended = relay.run().await.unwrap_or_else(|error| {
        tracing::debug!(%error, "a session was cut off");
        Ended::Abandoned
    });
    if ended == Ended::Quietly {
        abandoned.session_ended();
    }
    Ok(ended)
}

/// Counts a log-in that Postgres refused, and tells of one that did not get so far.
fn failed(shared: &Shared, error: &pgferry::Error) {
    if error.as_db_error().is_some() {
        shared.metrics.log_in_failed();
    } else {
        tracing::warn!("{error}");
    }
}

/// A session that is being relayed: its beginning and its end are told.
struct Open<'a> {
    id: &'a str,
    began: Instant,
    _counted: OpenSession,
}

impl<'a> Open<'a> {
    fn begin(shared: &Shared, id: &'a str) -> Self {
        tracing::info!(id, "session opened");
        Self { id, began: Instant::now(), _counted: shared.metrics.session() }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(id = self.id, ms, "session closed");
    }
}

/// Tells a client why it has no session.
async fn report(stream: &mut Stream, error: &DbError) -> std::io::Result<()> {
    let mut out = BytesMut::new();
    server::error_response(&mut out, error);
    stream.write_all(&out).await?;
    stream.flush().await
}
