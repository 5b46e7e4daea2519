use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use pgferry::wire::server;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::goodbye::Goodbye;

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

/// Where Postgres's messages begin and end (manual, section 55.7: a byte for the type, and a length that counts itself), and what the
/// last ReadyForQuery said.
#[derive(Debug, Default)]
struct Messages {
    /// What is there of a header that is not whole.
    header: Vec<u8>,
    /// How much of the message is to come, in bytes.
    left: usize,
    is_ready: bool,
    status: Option<u8>,
}

impl Messages {
    /// Notes what passes; tells whether Postgres became ready in it.
    fn pass(&mut self, mut bytes: &[u8]) -> bool {
        let mut became_ready = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                if self.is_ready {
                    self.status = Some(byte);
                    became_ready = true;
                }
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            self.header.push(byte);
            bytes = rest;
            if let &[kind, a, b, c, d] = self.header.as_slice() {
                self.is_ready = kind == b'Z';
                let length = u32::from_be_bytes([a, b, c, d]).saturating_sub(4);
                self.left = usize::try_from(length).unwrap_or(usize::MAX);
                self.header.clear();
            }
        }
        became_ready
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
    fn messages_may_be_split_anywhere() {
        let mut out = BytesMut::new();
        server::parameter_status(&mut out, "TimeZone", "UTC");
        server::ready_for_query(&mut out, TransactionStatus::Transaction);
        server::authentication_ok(&mut out);
        for size in 1..=out.len() {
            let mut messages = Messages::default();
            let mut ready = 0;
            for piece in out.chunks(size) {
                ready += usize::from(messages.pass(piece));
            }
            assert_eq!((ready, messages.status), (1, Some(b'T')), "in pieces of {size}");
            assert!(messages.are_whole() && !messages.outside_of_transaction());
            messages.pass(b"Z\0\0");
            assert!(!messages.are_whole());
            messages.pass(b"\0\x05I");
            assert!(messages.are_whole() && messages.outside_of_transaction());
        }
    }
}
