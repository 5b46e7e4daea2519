use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
};

use super::handshake::fatal;
use crate::error::{DbError, SqlState};

/// Ends a bridge's clients, and knows when they are gone.
#[derive(Debug)]
pub(super) struct Closing(watch::Sender<bool>);

/// A client's share in it: held until the client is gone.
#[derive(Clone, Debug)]
pub(super) struct Notice(watch::Receiver<bool>);

/// A client's stream, which ends for whoever serves it when the bridge closes: the client seems to have gone, and what it runs
/// is cancelled.
pub(super) struct Closable<S> {
    stream: S,
    notice: Pin<Box<dyn Future<Output = ()> + Send>>,
    closed: bool,
    written: Boundary,
}

impl Closing {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn notice(&self) -> Notice {
        Notice(self.0.subscribe())
    }

    /// Tells every client to end and waits until all have. Cancel safe: they go on ending.
    pub(super) async fn close(&self) {
        self.0.send_replace(true);
        self.0.closed().await;
    }
}

impl Notice {
    /// Waits until the bridge closes or is dropped, after which it takes no further clients. Cancel safe.
    pub(super) async fn is_over(&mut self) {
        // Either way there is nothing more to accept.
        let _ = self.0.wait_for(|closes| *closes).await;
    }

    /// Waits until the bridge closes, for ever where it is dropped instead: then its clients go on. Cancel safe.
    pub(super) async fn given(&mut self) {
        if self.0.wait_for(|closes| *closes).await.is_err() {
            std::future::pending().await
        }
    }
}

impl<S> Closable<S> {
    /// Takes a stream on which nothing but whole messages of Postgres's will be written from now on.
    pub(super) fn new(stream: S, mut notice: Notice) -> Self {
        let notice = Box::pin(async move { notice.given().await });
        Self { stream, notice, closed: false, written: Boundary::default() }
    }
}

impl<S: AsyncWrite + Unpin> Closable<S> {
    /// Tells the client why its connection ends, where it would understand.
    fn say_goodbye(&mut self, cx: &mut Context<'_>) {
        if self.written.is_between_messages() {
            let mut out = BytesMut::new();
            let message = "terminating connection: the bridge was told to end";
            fatal(&mut out, DbError::new("FATAL", Some(SqlState::ADMIN_SHUTDOWN), message));
            // A client that does not read is not waited for.
            let _ = Pin::new(&mut self.stream).poll_write(cx, &out);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Closable<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.closed {
            return Poll::Ready(Ok(()));
        }
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buf) {
            return Poll::Ready(read);
        }
        ready!(self.notice.as_mut().poll(cx));
        self.closed = true;
        self.say_goodbye(cx);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Closable<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if let Poll::Ready(count) = Pin::new(&mut self.stream).poll_write(cx, bytes) {
            let count = count?;
            self.written.pass(bytes.get(..count).unwrap_or(bytes));
            return Poll::Ready(Ok(count));
        }
        ready!(self.notice.as_mut().poll(cx));
        // A client that does not read is not waited for.
        self.closed = true;
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where in a message what has been written ends.
#[derive(Debug, Default)]
struct Boundary {
    /// The header of the message that has begun: its type and its length.
    header: [u8; 5],
    /// How much of the header has been written.
    known: usize,
    /// How much of the body is still to come.
    rest: usize,
}

impl Boundary {
    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let passed = self.rest.min(bytes.len());
                self.rest -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            let missing = self.header.get_mut(self.known..).unwrap_or_default();
            let count = missing.len().min(bytes.len());
            let (now, later) = bytes.split_at(count);
            missing.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            self.known += count;
            bytes = later;
            if self.known == self.header.len() {
                let [_, a, b, c, d] = self.header;
                // The length counts itself.
                self.rest = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
                self.known = 0;
            }
        }
    }

    fn is_between_messages(&self) -> bool {
        self.known == 0 && self.rest == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::timeout,
    };

    use super::*;

    #[test]
    fn boundaries_are_found_however_messages_are_cut() {
        let messages = b"Z\0\0\0\x05I1\0\0\0\x04D\0\0\0\x08abcd";
        let ends = [0, 6, 11, 20];
        for piece in 1..=messages.len() {
            let (mut boundary, mut written) = (Boundary::default(), 0);
            for bytes in messages.chunks(piece) {
                boundary.pass(bytes);
                written += bytes.len();
                assert_eq!(boundary.is_between_messages(), ends.contains(&written), "{written} in pieces of {piece}");
            }
        }
    }

    #[tokio::test]
    async fn a_client_is_told_and_its_server_sees_it_gone() {
        for (written, is_told) in [(&b"Z\0\0\0\x05I"[..], true), (b"Z\0\0\0", false)] {
            let closing = Closing::new();
            let (mut client, served) = duplex(1024);
            let mut served = Closable::new(served, closing.notice());
            served.write_all(written).await.unwrap();
            let server = async {
                let mut read = Vec::new();
                served.read_to_end(&mut read).await.unwrap();
                assert!(read.is_empty());
                assert!(served.write_all(b"late").await.is_err());
                drop(served);
            };
            let closed = async {
                timeout(Duration::from_secs(5), closing.close()).await.expect("the only client is gone");
            };
            tokio::join!(server, closed);
            let mut told = Vec::new();
            client.read_to_end(&mut told).await.unwrap();
            assert!(told.starts_with(written));
            assert_eq!(String::from_utf8_lossy(&told).contains("57P01"), is_told, "{told:?}");
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_not_waited_for() {
        let closing = Closing::new();
        let (_client, served) = duplex(16);
        let mut served = Closable::new(served, closing.notice());
        let server = async {
            served.write_all(&[0; 100]).await.unwrap_err();
            drop(served);
        };
        let closed = async {
            // It writes, and then waits.
            tokio::task::yield_now().await;
            timeout(Duration::from_secs(5), closing.close()).await.expect("it is gone");
        };
        tokio::join!(server, closed);
    }

    #[tokio::test]
    async fn a_dropped_bridge_lets_its_clients_go_on() {
        let closing = Closing::new();
        let (mut client, served) = duplex(1024);
        let mut served = Closable::new(served, closing.notice());
        drop(closing);
        client.write_all(b"on").await.unwrap();
        let mut read = [0; 2];
        served.read_exact(&mut read).await.unwrap();
        assert!(timeout(Duration::from_millis(20), served.read_u8()).await.is_err(), "it is still open");
    }
}
