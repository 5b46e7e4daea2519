use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes an authentication request's kind takes: type, length and code (manual, section 55.7).
const AUTHENTICATION: usize = 9;

/// A stream that notes how often the client waited for the server, and what the server said first.
pub(super) struct Observed<S> {
    stream: S,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// How often the server answered after the client had spoken.
    pub(super) round_trips: u32,
    asked: Vec<u8>,
    spoke: bool,
}

impl Seen {
    /// How the server asked for proof at the beginning of a log-in.
    pub(super) fn method(&self) -> Option<&'static str> {
        let [b'R', _, _, _, _, code @ ..] = &self.asked[..] else { return None };
        match i32::from_be_bytes(code.try_into().ok()?) {
            0 => Some("none"),
            3 => Some("password"),
            5 => Some("md5"),
            10 => Some("scram-sha-256"),
            _ => None,
        }
    }
}

/// Where what is seen can be read while the stream is elsewhere.
#[derive(Clone)]
pub(super) struct Observer(Arc<Mutex<Seen>>);

impl Observer {
    pub(super) fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S> Observed<S> {
    pub(super) fn new(stream: S) -> (Self, Observer) {
        let seen = Arc::new(Mutex::new(Seen::default()));
        (Self { stream, seen: seen.clone() }, Observer(seen))
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let said = buf.filled().get(before..).unwrap_or_default();
        if !said.is_empty() {
            self.note(|seen| {
                if std::mem::take(&mut seen.spoke) {
                    seen.round_trips += 1;
                }
                let room = AUTHENTICATION - seen.asked.len();
                seen.asked.extend(said.iter().take(room));
            });
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.note(|seen| seen.spoke |= count > 0);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn an_answer_counts_once_however_it_is_read() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let (mut ours, observer) = Observed::new(ours);
        ours.write_all(b"one").await.unwrap();
        ours.write_all(b"two").await.unwrap();
        theirs.write_all(&[b'R', 0, 0, 0, 23, 0, 0, 0, 10, b'S']).await.unwrap();
        for _ in 0..10 {
            ours.read_u8().await.unwrap();
        }
        assert_eq!(observer.seen().round_trips, 1);
        assert_eq!(observer.seen().method(), Some("scram-sha-256"));
        ours.write_all(b"three").await.unwrap();
        theirs.write_all(b"x").await.unwrap();
        ours.read_u8().await.unwrap();
        assert_eq!(observer.seen().round_trips, 2);
    }

    #[test]
    fn what_is_no_authentication_request_names_no_method() {
        for asked in [&b""[..], b"R\0\0\0\x08\0\0", b"E\0\0\0\x08\0\0\0\0", b"R\0\0\0\x08\0\0\0\x63"] {
            assert_eq!(Seen { asked: asked.to_vec(), ..Seen::default() }.method(), None);
        }
    }
}
