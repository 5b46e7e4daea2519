use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    auto,
    closing::{Closable, Notice},
    gathering,
    log_in::log_in,
    session,
    shared::Shared,
    stateless,
};
use crate::{
    config::Transport,
    error::{DbError, Error},
    wire::server,
};

/// A client's side of a connection: its stream and what was read of it and not yet used.
pub(super) struct Local<S> {
    pub(super) stream: S,
    pub(super) read: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Local<S> {
    /// Reads more, `false` at the end.
    pub(super) async fn fill(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.read).await? > 0)
    }

    pub(super) async fn send(&mut self, message: &BytesMut) -> io::Result<()> {
        self.stream.write_all(message).await?;
        self.stream.flush().await
    }

    /// Tells the client an error after which the connection ends.
    pub(super) async fn send_fatal(&mut self, error: &Error) -> io::Result<()> {
        self.send_error(error.to_db_error()).await
    }

    /// Tells the client an error with fields of its own, after which the connection ends.
    pub(super) async fn send_error(&mut self, error: DbError) -> io::Result<()> {
        let mut out = BytesMut::new();
        fatal(&mut out, error);
        self.send(&out).await
    }
}

/// Serves one client from its first byte to its last, or until the bridge closes.
pub(super) async fn serve<S>(stream: S, shared: &Shared, notice: Notice) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut local = Local { stream, read: BytesMut::with_capacity(8 * 1024) };
    let mut closes = notice.clone();
    let opening = tokio::select! {
        opening = log_in(&mut local, shared) => opening?,
        () = closes.given() => return Ok(()),
    };
    let Some(opening) = opening else { return Ok(()) };
    let mut local = Local { stream: Closable::new(local.stream, notice), read: local.read };
    if let Some(plan) = shared.gatherings().wanted_by(&opening) {
        return gathering::serve(local, plan, &opening, shared).await;
    }
    let registration = match shared.cancels().register() {
        Ok(registration) => registration,
        Err(error) => return local.send_fatal(&error).await,
    };
    let client = session::Client::new(local, &opening, shared.config().get_describe().unwrap_or_default());
    match (shared.http(), shared.transport()) {
        (Some(http), Transport::Auto) => auto::serve(client, &opening, http, shared, &registration).await,
        (Some(http), _) => stateless::serve(client, &opening, http, shared, &registration).await,
        (None, _) => {
            let how = session::How::default();
            session::serve(client, &opening, shared, &registration, how).await.map(drop)
        }
    }
}

pub(super) fn fatal(out: &mut BytesMut, error: DbError) {
    let mut error = error;
    error.severity = "FATAL".to_owned();
    server::error_response(out, &error);
}
