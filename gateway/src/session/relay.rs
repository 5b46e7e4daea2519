use std::{io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    select,
    time::timeout,
};
use tokio_util::task::TaskTracker;

use super::{Stream, farewell::SessionKey};
use crate::{slots::Slot, spawn::spawn_tracked, upstream::SharedUpstream};

/// How much is read at once in either direction, in bytes.
const BUFFER: usize = 64 * 1024;

/// How long Postgres may take to end a session after its client has gone; what it is running then is cancelled.
const FAREWELL: Duration = Duration::from_millis(100);

/// Cancels what a session is running when it is dropped, unless the session has ended. Its slot is given back after that.
pub(super) struct Abandoned {
    upstream: SharedUpstream,
    key: SessionKey,
    cancels: TaskTracker,
    place: Option<Slot>,
}

impl Abandoned {
    /// Where the key has not come by then, no query has either.
    pub(super) fn new(upstream: &SharedUpstream, key: SessionKey, cancels: &TaskTracker, place: Slot) -> Self {
        Self { upstream: Arc::clone(upstream), key, cancels: cancels.clone(), place: Some(place) }
    }

    pub(super) fn session_ended(mut self) {
        self.place = None;
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let Some(key) = self.key.get().copied() else { return };
        let upstream = Arc::clone(&self.upstream);
        spawn_tracked(&self.cancels, async move {
            if let Err(error) = upstream.cancel(key).await {
                tracing::warn!(%error, "an abandoned query could not be cancelled");
            }
            drop(place);
        });
    }
}

/// Carries bytes both ways, after what each side has still to be told, until one of them ends.
///
/// Cancel safe: dropping it cancels what the session is running.
pub(super) async fn relay(
    client: &mut Stream,
    mut upstream: impl AsyncRead + AsyncWrite + Unpin,
    abandoned: Abandoned,
    to_upstream: BytesMut,
    to_client: Bytes,
) {
    let begun = async {
        client.write_all(&to_client).await?;
        client.flush().await?;
        upstream.write_all(&to_upstream).await?;
        upstream.flush().await
    };
    if let Err(error) = begun.await {
        return tracing::debug!(%error, "a session was cut off at its beginning");
    }
    let (mut from_client, mut to_client) = split(client);
    let (mut from_upstream, mut to_upstream) = split(upstream);
    let ended = select! {
        client_ended = carry(&mut from_client, &mut to_upstream) => {
            if let Err(error) = client_ended {
                tracing::debug!(%error, "a session lost its client");
            }
            // A client that has said goodbye leaves nothing running.
            let farewell = async {
                to_upstream.shutdown().await?;
                drain(&mut from_upstream).await
            };
            timeout(FAREWELL, farewell).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        }
        upstream_ended = carry(&mut from_upstream, &mut to_client) => upstream_ended,
    };
    match ended {
        Ok(()) => abandoned.session_ended(),
        Err(error) => tracing::debug!(%error, "a session was cut off"),
    }
}

/// Carries bytes from one side to the other until the one ends.
async fn carry(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(BUFFER);
    while from.read_buf(&mut buffer).await? > 0 {
        to.write_all(&buffer).await?;
        to.flush().await?;
        buffer.clear();
    }
    Ok(())
}

/// Reads to the end what nobody wants any more.
async fn drain(from: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    tokio::io::copy(from, &mut tokio::io::sink()).await.map(drop)
}
