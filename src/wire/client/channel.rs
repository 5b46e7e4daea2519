use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::{
    error::{Error, Outcome, Result},
    wire::{
        DataRow,
        reader::{Reader, broken},
    },
};

/// How much is read at once to begin with, and at most, in bytes. A read that fills its room doubles the room of the next one:
/// large results would otherwise come in tiny pieces, and idle sessions would hold large buffers.
const MIN_READ: usize = 8 * 1024;
const MAX_READ: usize = 256 * 1024;

/// A buffer that grew beyond this is given back when it is empty, in bytes.
const MAX_KEPT: usize = 1024 * 1024;

/// The largest message before the log-in is over, in bytes: whoever answers has not proved anything yet.
const MAX_LOG_IN: usize = 64 * 1024;

/// A stream of messages: what is to be written, and what was read and not yet taken.
///
/// Both directions make progress in every wait. Otherwise a client that writes a large message and a server that meanwhile
/// fills its own direction with notices or rows would wait for each other forever.
pub(super) struct Channel<S> {
    stream: S,
    read: BytesMut,
    write: BytesMut,
    unflushed: bool,
    /// Why nothing more can be written. What the server said before it closed is still to be read.
    write_error: Option<io::Error>,
    /// How much the next read may take.
    room: usize,
    /// How much of the message under way has not come.
    missing: usize,
    max: usize,
}

/// What a channel was made of, for whoever goes on with it.
pub(crate) struct Parts<S> {
    pub(crate) stream: S,
    /// What was read and not taken.
    pub(crate) received: BytesMut,
    /// What is to be written before anything else.
    pub(crate) unsent: BytesMut,
}

/// A message from the server.
pub(super) enum Incoming {
    Row(DataRow),
    /// The server speaks an older minor version, or does not know some protocol options.
    NegotiateProtocolVersion,
    Message(Message),
}

impl<S> Channel<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            write: BytesMut::new(),
            unflushed: false,
            write_error: None,
            room: MIN_READ,
            missing: 0,
            max: MAX_LOG_IN,
        }
    }

    /// Bounds a message's length in bytes.
    pub(super) fn set_max(&mut self, max: usize) {
        self.max = max;
    }

    /// What is appended here is sent with the next wait.
    pub(super) fn out(&mut self) -> &mut BytesMut {
        &mut self.write
    }

    pub(super) fn is_sent(&self) -> bool {
        self.write.is_empty() && !self.unflushed
    }

    pub(super) fn write_error(&mut self) -> Option<io::Error> {
        self.write_error.take()
    }

    pub(super) fn into_parts(self) -> Parts<S> {
        Parts { stream: self.stream, received: self.read, unsent: self.write }
    }

    /// Gives memory back that a large message took.
    pub(super) fn shrink(&mut self) {
        self.room = MIN_READ;
        if self.read.is_empty() && self.read.capacity() > MAX_KEPT {
            self.read = BytesMut::new();
        }
    }

    /// Takes the next message, `None` where it is not yet whole.
    pub(super) fn take(&mut self) -> Result<Option<Incoming>> {
        let Some(&[tag, a, b, c, d]) = self.read.first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length < 4 {
            return Err(Error::protocol(
                format!("the server sent a message of {length} bytes, so it does not speak Postgres's protocol"),
                Outcome::Unknown,
            ));
        }
        if length > self.max {
            return Err(Error::limit(
                format!("the server sent a message of {length} bytes and at most {} are taken", self.max),
                Outcome::Unknown,
            ));
        }
        self.missing = (length + 1).saturating_sub(self.read.len());
        if self.missing > 0 {
            return Ok(None);
        }
        let mut message = self.read.split_to(length + 1);
        match tag {
            b'D' => {
                message.advance(5);
                DataRow::parse(message.freeze()).map(|row| Some(Incoming::Row(row)))
            }
            b'v' => {
                message.advance(5);
                let mut reader = Reader::new(message.freeze(), "NegotiateProtocolVersion");
                reader.u32()?;
                for _ in 0..reader.u32()? {
                    reader.text()?;
                }
                reader.end()?;
                Ok(Some(Incoming::NegotiateProtocolVersion))
            }
            _ => match Message::parse(&mut message) {
                Ok(Some(message)) => Ok(Some(Incoming::Message(message))),
                Ok(None) => Err(broken("message", "it is not whole")),
                Err(error) => Err(broken("message", "see its source").with_source(error)),
            },
        }
    }

    /// Makes room for the next read. Memory is spent as data comes and never because a length announces it.
    fn reserve(&mut self) {
        let room = self.missing.clamp(self.room, self.read.len().max(self.room));
        if self.read.capacity() - self.read.len() < room / 2 {
            self.read.reserve(room);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    /// Waits for the next message. Cancel safe.
    pub(super) async fn receive(&mut self) -> Result<Incoming> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(message);
            }
            let lost = |cause| {
                Error::closed("the server closed the connection during the log-in", Outcome::NotExecuted)
                    .with_source(cause)
            };
            match poll_fn(|cx| self.poll_fill(cx)).await {
                Ok(0) => return Err(lost(self.write_error().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))),
                Ok(_) => {}
                Err(error) => return Err(lost(error)),
            }
        }
    }

    /// Reads some bytes, 0 at the end, while what is to be written is being written.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Pending or not, what cannot be written now waits, and whoever waits here is woken for it.
        let _ = self.poll_send(cx);
        self.reserve();
        let room = self.read.capacity() - self.read.len();
        // The future keeps nothing between polls.
        let read = ready!(pin!(self.stream.read_buf(&mut self.read)).poll(cx))?;
        if read == room {
            self.room = (self.room * 2).min(MAX_READ);
        }
        Poll::Ready(Ok(read))
    }

    /// Writes and flushes; ready once nothing is left to write, be it because nothing more can be written.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Err(error) = ready!(self.poll_write(cx)) {
            self.write.clear();
            self.unflushed = false;
            self.write_error = Some(error);
        }
        Poll::Ready(())
    }

    /// Sends what is left and closes the stream, dropping what comes meanwhile.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        poll_fn(|cx| {
            while self.poll_send(cx).is_pending() {
                match ready!(self.poll_fill(cx)) {
                    Ok(1..) => self.read.clear(),
                    Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await?;
        if let Some(error) = self.write_error() {
            return Err(error);
        }
        poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await
    }

    /// Reads to the end, be it a rude one, and drops what comes.
    pub(super) async fn read_to_end(&mut self) {
        self.read.clear();
        while let Ok(1..) = poll_fn(|cx| self.poll_fill(cx)).await {
            self.read.clear();
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_error.is_some() {
            self.write.clear();
            return Poll::Ready(Ok(()));
        }
        while !self.write.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.write))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.write.advance(written);
            self.unflushed = true;
        }
        if self.write.capacity() > MAX_KEPT {
            self.write = BytesMut::new();
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}
