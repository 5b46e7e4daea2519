use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Sink, Stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{Utf8Bytes, coding::CloseCode},
        },
    },
};

use super::{
    Close,
    end::{End, write_error},
};

/// The most bytes that are collected into one frame: what is written between two flushes leaves in frames of this size.
const FRAME_SIZE: usize = 64 * 1024;

/// The largest frame, and the largest fragmented message, that is taken from a peer. A frame is kept whole until it is
/// read. Clients were seen to send 50 MB in one frame; servers send a few kilobytes.
const MAX_FRAME_SIZE: usize = 64 * 1024 * 1024;

/// How long the peer has to take the last bytes and to answer a Close frame with its own.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// A stream of bytes in the binary frames of a WebSocket, over any stream `S`.
///
/// It is what `tokio::io` calls [`AsyncRead`] and [`AsyncWrite`]:
///
/// - **Writes are collected** and leave as one frame at the next flush, or when 64 KiB have come together. Nothing is sent
///   without a flush. When the peer does not read, writes wait; at most two frames are kept in memory.
/// - **Pings are answered** whenever the stream is read. Nothing here sends pings, since some servers answer them late or
///   never: a peer that is silent is not for that reason dead.
/// - **An end of the stream** is a Close frame with code 1000, 1001 or none, or a connection that ends without a Close
///   frame, as some servers end it. Any other code is an error of kind [`ConnectionAborted`](io::ErrorKind) with
///   [`Close`] in it, and a text frame or a broken protocol is [`InvalidData`](io::ErrorKind).
/// - **Shutting down** flushes, sends Close 1000, waits at most 2 seconds for the peer's own, discarding what arrives, and
///   then shuts down the stream underneath. A WebSocket knows no half-closed state: shut down when the answers are read.
///   It is an error when the peer did not take the last bytes in that time, and none when only its Close frame is missing.
///
/// Dropping it closes the connection without a Close frame.
///
/// It must be used on a tokio runtime with time enabled.
///
/// # Example
///
/// ```
/// use pgferry::websocket::{ByteStream, connect_on};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (client, server) = tokio::io::duplex(4096);
/// let server = tokio::spawn(async move {
///     let socket = tokio_tungstenite::accept_async(server).await.expect("an upgrade");
///     let mut stream = ByteStream::accepted(socket.into_inner()).await;
///     let mut request = [0; 5];
///     stream.read_exact(&mut request).await?;
///     stream.write_all(b"world").await?;
///     stream.shutdown().await
/// });
///
/// let mut stream = connect_on(client, &"ws://localhost/v2".parse()?).await?;
/// stream.write_all(b"hello").await?;
/// stream.flush().await?;
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "world");
/// stream.shutdown().await?;
/// server.await??;
/// # Ok(())
/// # }
/// ```
pub struct ByteStream<S> {
    socket: WebSocketStream<S>,
    /// What of the last frame nobody has read yet.
    unread: Bytes,
    /// What was written and is not a frame yet.
    unsent: BytesMut,
    end: Option<End>,
    close: Option<Close>,
    shutdown: Shutdown,
    /// When a shutdown that has begun stops waiting for the peer.
    deadline: Option<Pin<Box<Sleep>>>,
    waiting: Waiting,
}

/// How far a shutdown has come; each state is named by what it does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    NotBegun,
    Send,
    Flush,
    AwaitClose,
    ShutDownInner,
    Done,
}

/// Whoever waits for this stream. The WebSocket itself remembers one task for each direction, but three can wait: with
/// the stream split, a shutdown reads while the reader reads. So the one that sees the end tells the others.
#[derive(Default)]
struct Waiting {
    reader: Option<Waker>,
    writer: Option<Waker>,
    closer: Option<Waker>,
}

impl Waiting {
    fn wake(&mut self) {
        let Self { reader, writer, closer } = std::mem::take(self);
        [reader, writer, closer].into_iter().flatten().for_each(Waker::wake);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> ByteStream<S> {
    /// Returns the server's side of a stream whose upgrade has been answered with 101.
    ///
    /// Cancel safe: it never waits.
    pub async fn accepted(stream: S) -> Self {
        Self::accepted_with(stream, Vec::new()).await
    }

    /// As [`accepted`](Self::accepted), with the bytes that were read together with the upgrade's request: a client may
    /// send its first frames without waiting for the answer.
    ///
    /// Cancel safe: it never waits.
    pub async fn accepted_with(stream: S, read_ahead: Vec<u8>) -> Self {
        Self::new(stream, read_ahead, Role::Server).await
    }

    pub(super) async fn new(stream: S, read_ahead: Vec<u8>, role: Role) -> Self {
        let config = WebSocketConfig::default()
            // The library clears this many bytes before each read, so more would cost small answers dear.
            .read_buffer_size(32 * 1024)
            // Frames are collected here already; the library passes each on at once.
            .write_buffer_size(0)
            // One frame of data and the answers to a flood of pings.
            .max_write_buffer_size(2 * FRAME_SIZE)
            .max_message_size(Some(MAX_FRAME_SIZE))
            .max_frame_size(Some(MAX_FRAME_SIZE));
        Self {
            socket: WebSocketStream::from_partially_read(stream, read_ahead, role, Some(config)).await,
            unread: Bytes::new(),
            unsent: BytesMut::new(),
            end: None,
            close: None,
            shutdown: Shutdown::NotBegun,
            deadline: None,
            waiting: Waiting::default(),
        }
    }

    /// Returns the peer's Close frame, once reading has come to it.
    #[must_use]
    pub fn close(&self) -> Option<&Close> {
        self.close.as_ref()
    }

    /// Returns the stream underneath.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        self.socket.get_ref()
    }

    /// Reads until there are bytes in `unread` or the stream has ended.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.end.is_none() && self.unread.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.unread = bytes,
                // The library has queued the pong, and sends it with the next read.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(frame))) => {
                    let close = Close::from_frame(frame);
                    self.close = Some(close.clone());
                    self.finish(if close.is_normal() { End::Eof } else { End::Closed(close) }, cx);
                }
                Some(Ok(Message::Text(_))) => self.finish(End::Text, cx),
                Some(Err(error)) => self.finish(End::from_error(error), cx),
                None => self.finish(End::Eof, cx),
            }
        }
        Poll::Ready(())
    }

    /// Notes the end, tells the peer as far as that needs no waiting, and whoever else waits.
    fn finish(&mut self, end: End, cx: &mut Context<'_>) {
        tracing::debug!(?end, "a WebSocket has ended");
        if let Some(code) = end.code_for_peer() {
            let _ = Pin::new(&mut self.socket).start_send(close_frame(code));
        }
        // Reading is also what sends the answer to a Close; all else that it may say comes too late.
        let _ = Pin::new(&mut self.socket).poll_next(cx);
        self.end = Some(end);
        self.waiting.wake();
    }

    /// Makes frames of what was written until nothing of it is left.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            // Until the frame before has left: that is what holds memory down and makes a writer wait for a slow reader.
            ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(write_error)?;
            let frame = Message::Binary(self.unsent.split().freeze());
            Pin::new(&mut self.socket).start_send(frame).map_err(write_error)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Remembers the writer where it has to wait.
    fn or_wait<T>(&mut self, result: Poll<T>, cx: &mut Context<'_>) -> Poll<T> {
        if result.is_pending() {
            self.waiting.writer = Some(cx.waker().clone());
        }
        result
    }

    fn check_writable(&self) -> io::Result<()> {
        match (&self.end, &self.shutdown) {
            (Some(end), _) => Err(end.on_write()),
            (None, Shutdown::NotBegun) => Ok(()),
            (None, _) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the WebSocket has been shut down")),
        }
    }

    /// Takes a shutdown's steps, the deadline aside.
    fn poll_shutdown_steps(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.shutdown = match self.shutdown {
                Shutdown::NotBegun => Shutdown::Send,
                Shutdown::Send => {
                    if self.end.is_none() {
                        ready!(self.poll_send(cx))?;
                        ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(write_error)?;
                        // It fails only where the connection has ended, of which the next steps learn as well.
                        let _ = Pin::new(&mut self.socket).start_send(close_frame(CloseCode::Normal));
                    }
                    Shutdown::Flush
                }
                Shutdown::Flush => {
                    // A connection that breaks now has nothing left to lose but the goodbye.
                    let _ = ready!(Pin::new(&mut self.socket).poll_flush(cx));
                    Shutdown::AwaitClose
                }
                Shutdown::AwaitClose => {
                    while self.end.is_none() {
                        ready!(self.poll_frame(cx));
                        self.unread.clear();
                    }
                    Shutdown::ShutDownInner
                }
                Shutdown::ShutDownInner => {
                    let _ = ready!(Pin::new(self.socket.get_mut()).poll_shutdown(cx));
                    Shutdown::Done
                }
                Shutdown::Done => return Poll::Ready(Ok(())),
            }
        }
    }
}

fn close_frame(code: CloseCode) -> Message {
    Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }))
}

impl<S> fmt::Debug for ByteStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { socket: _, unread, unsent, end, close, shutdown, deadline: _, waiting: _ } = self;
        f.debug_struct("ByteStream")
            .field("unread", &unread.len())
            .field("unsent", &unsent.len())
            .field("end", end)
            .field("close", close)
            .field("shutdown", shutdown)
            .finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ByteStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.shutdown != Shutdown::Done && this.poll_frame(cx).is_pending() {
            this.waiting.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if this.unread.is_empty() {
            return Poll::Ready(this.end.as_ref().map_or(Ok(()), End::on_read));
        }
        let count = this.unread.len().min(buf.remaining());
        buf.put_slice(&this.unread.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ByteStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_writable()?;
        if this.unsent.len() >= FRAME_SIZE {
            let sent = this.poll_send(cx);
            ready!(this.or_wait(sent, cx))?;
        }
        let count = bytes.len().min(FRAME_SIZE - this.unsent.len());
        this.unsent.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let (Some(end), false) = (&this.end, this.unsent.is_empty()) {
            return Poll::Ready(Err(end.on_write()));
        }
        let sent = this.poll_send(cx);
        ready!(this.or_wait(sent, cx))?;
        let flushed = Pin::new(&mut this.socket).poll_flush(cx).map_err(write_error);
        this.or_wait(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.shutdown == Shutdown::Done {
            return Poll::Ready(Ok(()));
        }
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSE_DEADLINE)));
        let late = deadline.as_mut().poll(cx).is_ready();
        let result = match this.poll_shutdown_steps(cx) {
            Poll::Ready(result) => result,
            Poll::Pending if !late => {
                this.waiting.closer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Pending if this.shutdown == Shutdown::Send => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("the peer did not take the last bytes within {CLOSE_DEADLINE:?}"),
            )),
            Poll::Pending => {
                // The peer owes a Close frame; the connection can be given up as far as that needs no waiting.
                let _ = Pin::new(this.socket.get_mut()).poll_shutdown(cx);
                Ok(())
            }
        };
        this.shutdown = Shutdown::Done;
        this.deadline = None;
        this.waiting.wake();
        Poll::Ready(result)
    }
}
