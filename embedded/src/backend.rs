use std::{io, path::Path};

use bytes::{Bytes, BytesMut};
use pgferry::{
    error::{DbError, SqlState},
    wire::{MAX_MESSAGE, TransactionStatus},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{
    frame::{self, Frame},
    message,
};

/// The connection to the engine's backend, between messages.
pub(crate) struct Backend {
    pub(crate) stream: UnixStream,
    pub(crate) received: BytesMut,
    pub(crate) database: String,
    /// What the backend reported of its settings when it started.
    pub(crate) parameters: Vec<Bytes>,
    pub(crate) status: TransactionStatus,
}

/// Why a question of our own has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The backend refused it.
    Refused(Box<DbError>),
    /// The backend is gone.
    Gone(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl Backend {
    /// Connects to a database, which starts a backend.
    ///
    /// Not cancel safe.
    pub(crate) async fn connect(socket: &Path, database: &str) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket).await?;
        let mut backend = Self {
            stream,
            received: BytesMut::new(),
            database: database.to_owned(),
            parameters: Vec::new(),
            status: TransactionStatus::Idle,
        };
        backend.stream.write_all(&message::startup(database)).await?;
        let mut parameters = Vec::new();
        loop {
            let frame = backend.next().await?;
            match frame.tag {
                b'S' => parameters.push(frame.bytes),
                b'E' => return Err(Failure::Refused(refusal(&frame))),
                b'Z' => break,
                _ => {}
            }
        }
        backend.parameters = parameters;
        Ok(backend)
    }

    /// Asks something of our own, and returns the rows.
    ///
    /// Not cancel safe.
    pub(crate) async fn ask(&mut self, text: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        self.exchange(&message::query(text)).await
    }

    /// Sends messages that end with one ReadyForQuery, and returns the rows. Nothing of it reaches a client.
    ///
    /// Not cancel safe.
    pub(crate) async fn exchange(&mut self, messages: &[u8]) -> Result<Vec<Vec<Option<String>>>, Failure> {
        self.expect_silence()?;
        self.stream.write_all(messages).await?;
        let mut rows = Vec::new();
        let mut refused = None;
        loop {
            let frame = self.next().await?;
            match frame.tag {
                b'D' => rows.push(frame::columns(frame.body())),
                b'E' if refused.is_none() => refused = Some(refusal(&frame)),
                b'Z' => {
                    self.status = status(&frame);
                    break;
                }
                _ => {}
            }
        }
        match refused {
            Some(error) => Err(Failure::Refused(error)),
            None => Ok(rows),
        }
    }

    /// Refuses a backend that has said something to which nothing was asked: it is not where it is taken to be.
    fn expect_silence(&mut self) -> io::Result<()> {
        match self.stream.try_read_buf(&mut self.received) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        match self.received.is_empty() {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, "the engine answered what nobody asked")),
        }
    }

    /// Takes the next message.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> io::Result<Frame> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(frame);
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Takes a message that has come already.
    pub(crate) fn take(&mut self) -> io::Result<Option<Frame>> {
        Frame::take(&mut self.received, MAX_MESSAGE)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the engine sent what is no message"))
    }
}

/// Returns the status in a ReadyForQuery.
pub(crate) fn status(frame: &Frame) -> TransactionStatus {
    frame.body().first().copied().and_then(TransactionStatus::from_byte).unwrap_or(TransactionStatus::Idle)
}

fn refusal(frame: &Frame) -> Box<DbError> {
    let mut body = frame.body();
    let mut error = DbError::new("ERROR", Some(SqlState::from_code("XX000")), "");
    while let Some(&kind) = body.first().filter(|kind| **kind != 0) {
        let _ = body.split_to(1);
        let text = String::from_utf8_lossy(&frame::text(&mut body)).into_owned();
        match kind {
            b'C' => error.code = Some(SqlState::from_code(&text)),
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            _ => {}
        }
    }
    Box::new(error)
}
