use std::{io, sync::Arc};

use tokio_tungstenite::tungstenite::{Error, error::ProtocolError, protocol::frame::coding::CloseCode};

use super::Close;

const TEXT: &str = "the peer sent a text frame, and Postgres's bytes come in binary frames only";

/// How reading came to its end.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// A Close that names no failure, or an end of the stream without one: some servers send none.
    Eof,
    /// A Close that names a failure.
    Closed(Close),
    /// A text frame.
    Text,
    /// A broken connection or a peer that broke the protocol.
    Failed(io::ErrorKind, Arc<Error>),
}

impl End {
    pub(super) fn from_error(error: Error) -> Self {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Eof,
            // TLS that ended without its own goodbye. Every Postgres message carries its length, so nothing can be cut
            // short unnoticed.
            Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::Eof,
            Error::Io(ref io) => Self::Failed(io.kind(), Arc::new(error)),
            error => Self::Failed(io::ErrorKind::InvalidData, Arc::new(error)),
        }
    }

    /// What a read says from now on: the end of the stream, or the failure each time again.
    pub(super) fn on_read(&self) -> io::Result<()> {
        match self {
            Self::Eof => Ok(()),
            Self::Closed(close) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, close.clone())),
            Self::Text => Err(io::Error::new(io::ErrorKind::InvalidData, TEXT)),
            Self::Failed(kind, error) => Err(io::Error::new(*kind, error.clone())),
        }
    }

    /// What a write says from now on.
    pub(super) fn on_write(&self) -> io::Error {
        match self {
            Self::Eof => io::Error::new(io::ErrorKind::BrokenPipe, "the peer has closed the WebSocket"),
            Self::Closed(close) => io::Error::new(io::ErrorKind::BrokenPipe, close.clone()),
            Self::Text => io::Error::new(io::ErrorKind::BrokenPipe, TEXT),
            Self::Failed(_, error) => io::Error::new(io::ErrorKind::BrokenPipe, error.clone()),
        }
    }

    /// The code to tell a peer that broke the protocol; none where there is nobody left to be told.
    pub(super) fn code_for_peer(&self) -> Option<CloseCode> {
        match self {
            Self::Failed(io::ErrorKind::InvalidData, error) => Some(match **error {
                Error::Capacity(_) => CloseCode::Size,
                _ => CloseCode::Protocol,
            }),
            Self::Text => Some(CloseCode::Unsupported),
            _ => None,
        }
    }
}

/// What a failed write is to the caller of [`tokio::io::AsyncWrite`].
pub(super) fn write_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(ProtocolError::SendAfterClosing) => {
            io::Error::new(io::ErrorKind::BrokenPipe, "the WebSocket is closed")
        }
        error => io::Error::other(error),
    }
}
