use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use pgferry::wire::{BackendKey, server};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::goodbye::Goodbye;

/// What a session's queries are cancelled with, once Postgres has told it.
pub(super) type SessionKey = Arc<OnceLock<BackendKey>>;

/// Postgres's side of a session, which says goodbye itself when the gateway shuts down: between two messages and when nothing runs, as
/// Postgres would (57P01), and then ends.
pub(super) struct Farewell<S> {
    upstream: S,
    messages: Messages,
    /// Whether Postgres was told something since it was last ready.
    asked: bool,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
    ending: Pin<Box<WaitForCancellationFutureOwned>>,
    said: Option<Bytes>,
}

impl<S> Farewell<S> {
    /// Watches a session whose log-in has come so far as `greeting` says, which may be nothing. When `draining` is set, a session
    /// outside of a transaction ends; when `ending` is set, one in a transaction too.
    pub(super) fn new(upstream: S, greeting: &[u8], draining: &CancellationToken, ending: &CancellationToken) -> Self {
        let mut messages = Messages::default();
        messages.pass(greeting);
        Self {
            upstream,
            messages,
            asked: false,
            draining: Box::pin(draining.clone().cancelled_owned()),
            ending: Box::pin(ending.clone().cancelled_owned()),
            said: None,
        }
    }

    /// Returns where the session's key is noted when it passes.
    pub(super) fn key(&self) -> SessionKey {
        Arc::clone(&self.messages.key)
    }

    /// Waits until it is time to say goodbye.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let over = self.ending.as_mut().poll(cx).is_ready();
        let draining = self.draining.as_mut().poll(cx).is_ready();
        let between = self.messages.are_whole() && !self.asked;
        if between && (over || draining && self.messages.outside_of_transaction()) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Farewell<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.said.is_none() {
            let before = buf.filled().len();
            if let Poll::Ready(read) = Pin::new(&mut this.upstream).poll_read(cx, buf) {
                if this.messages.pass(buf.filled().get(before..).unwrap_or_default()) {
                    this.asked = false;
                }
                return Poll::Ready(read);
            }
            ready!(this.poll_time(cx));
        }
        let said = this.said.get_or_insert_with(|| {
            let mut out = BytesMut::new();
            server::error_response(&mut out, &Goodbye::shutting_down().0);
            out.freeze()
        });
        let length = said.len().min(buf.remaining());
        buf.put_slice(said.get(..length).unwrap_or_default());
        said.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Farewell<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.asked = true;
        Pin::new(&mut this.upstream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().upstream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().upstream).poll_shutdown(cx)
    }
}

/// The length of the body of a BackendKeyData whose secret is four bytes long, as in version 3.0 of the protocol.
const KEY: usize = 8;

/// Where Postgres's messages begin and end (manual, section 55.7: a byte for the type, and a length that counts itself), what the
/// last ReadyForQuery said, and the session's key.
#[derive(Debug, Default)]
struct Messages {
    /// What is there of a header that is not whole.
    header: Vec<u8>,
    kind: u8,
    /// How much of the message is to come, in bytes.
    left: usize,
    status: Option<u8>,
    /// What is there of the key.
    key_body: Vec<u8>,
    key: SessionKey,
}

impl Messages {
    /// Notes what passes; tells whether Postgres became ready in it.
    fn pass(&mut self, mut bytes: &[u8]) -> bool {
        let mut became_ready = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                let (passed, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.left -= passed.len();
                bytes = rest;
                match self.kind {
                    b'Z' => {
                        self.status = Some(byte);
                        became_ready = true;
                    }
                    b'K' if self.key_body.len() + passed.len() + self.left == KEY => self.pass_key(passed),
                    _ => {}
                }
                continue;
            }
            self.header.push(byte);
            bytes = rest;
            if let &[kind, a, b, c, d] = self.header.as_slice() {
                self.kind = kind;
                let length = u32::from_be_bytes([a, b, c, d]).saturating_sub(4);
                self.left = usize::try_from(length).unwrap_or(usize::MAX);
                self.header.clear();
            }
        }
        became_ready
    }

    fn pass_key(&mut self, part: &[u8]) {
        self.key_body.extend_from_slice(part);
        if let &[a, b, c, d, e, f, g, h] = self.key_body.as_slice() {
            let (process_id, secret_key) = (i32::from_be_bytes([a, b, c, d]), i32::from_be_bytes([e, f, g, h]));
            // Postgres tells it once.
            let _ = self.key.set(BackendKey { process_id, secret_key });
        }
    }

    fn are_whole(&self) -> bool {
        self.header.is_empty() && self.left == 0
    }

    /// Whether there is no transaction, as there is none before the log-in is done.
    fn outside_of_transaction(&self) -> bool {
        matches!(self.status, None | Some(b'I'))
    }
}

#[cfg(test)]
mod tests {
    use pgferry::wire::TransactionStatus;

    use super::*;

    #[test]
    fn a_key_of_another_length_is_no_key() {
        let mut messages = Messages::default();
        messages.pass(b"K\0\0\0\x0d123456789K\0\0\0\x0b1234567K\0\0\0\x04");
        assert!(messages.are_whole() && messages.key.get().is_none());
    }

    #[test]
    fn messages_may_be_split_anywhere() {
        let mut out = BytesMut::new();
        server::parameter_status(&mut out, "TimeZone", "UTC");
        server::ready_for_query(&mut out, TransactionStatus::Transaction);
        let key = BackendKey { process_id: 0x0102_0304, secret_key: -7 };
        server::backend_key_data(&mut out, key);
        server::authentication_ok(&mut out);
        for size in 1..=out.len() {
            let mut messages = Messages::default();
            let mut ready = 0;
            for piece in out.chunks(size) {
                ready += usize::from(messages.pass(piece));
            }
            assert_eq!((ready, messages.status), (1, Some(b'T')), "in pieces of {size}");
            assert!(messages.are_whole() && !messages.outside_of_transaction());
            assert_eq!(messages.key.get(), Some(&key));
            messages.pass(b"Z\0\0");
            assert!(!messages.are_whole());
            messages.pass(b"\0\x05I");
            assert!(messages.are_whole() && messages.outside_of_transaction());
        }
    }
}
