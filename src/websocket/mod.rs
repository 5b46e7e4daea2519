//! Postgres's byte stream in a WebSocket.
use crate::{config::Config, error::Result};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// stub: AsyncRead + AsyncWrite over binary frames; S is the stream under the WebSocket
pub struct ByteStream<S> {
    inner: S,
}

/// what `connect` gives: over TCP or TLS
pub type Stream = ByteStream<crate::websocket::Transport>;
/// stub: enum of plain TCP and TLS
pub struct Transport {}

/// TCP, TLS and upgrade to the config's WebSocket endpoint.
pub async fn connect(config: &Config) -> Result<Stream> {
    todo!()
}
/// The upgrade alone, on any stream; `url` gives Host header and path.
pub async fn connect_on<S>(stream: S, url: &url::Url) -> Result<ByteStream<S>> {
    todo!()
}
impl<S> ByteStream<S> {
    /// The server's side after an accepted upgrade (for a gateway).
    pub async fn accepted(stream: S) -> Self {
        todo!()
    }
}
impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
}
impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        todo!()
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
}
