use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::{cancels::Registration, handshake::Local};
use crate::error::{DbError, Error, Outcome, Result, SqlState};

/// How much of a client's next messages is read while a request runs, in bytes.
const READ_AHEAD: usize = 64 * 1024;

/// Runs an operation for a client that may go away or have it cancelled; either drops the operation, and dropping a request
/// cancels it on the server.
///
/// The outer error means that the client is gone.
pub(super) async fn attend<S, T>(
    local: &mut Local<S>,
    registration: &Registration<'_>,
    operation: impl Future<Output = Result<T>>,
) -> io::Result<Result<T>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut operation = std::pin::pin!(operation);
    loop {
        let room = local.read.len() < READ_AHEAD;
        tokio::select! {
            // What is there already, as most rows of a result are, need not wait for the rest to be looked at.
            biased;
            result = &mut operation => return Ok(result),
            () = registration.cancelled() => return Ok(Err(cancelled())),
            more = local.fill(), if room => {
                if !more? {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
        }
    }
}

/// Writes all of a buffer to a client that may be slow to read; false if its statement is to be cancelled before that is done, with what
/// is not written left in the buffer.
///
/// The error means that the client is gone.
pub(super) async fn send_attending<S>(
    local: &mut Local<S>,
    registration: &Registration<'_>,
    buffer: &mut BytesMut,
) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while !buffer.is_empty() {
        tokio::select! {
            biased;
            count = local.stream.write_buf(buffer) => {
                if count? == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
            }
            () = registration.cancelled() => return Ok(false),
        }
    }
    local.stream.flush().await?;
    Ok(true)
}

/// What a client is told whose statement was cancelled before anybody was sent it.
pub(super) fn cancelled_unsent() -> Error {
    Error::db(cancelled_by_user()).with_outcome(Outcome::NotExecuted)
}

fn cancelled_by_user() -> DbError {
    DbError::new("ERROR", Some(SqlState::QUERY_CANCELED), "canceling statement due to user request")
}

/// What a client is told whose request was dropped.
pub(super) fn cancelled() -> Error {
    let mut error = cancelled_by_user();
    error.detail = Some("The request was dropped, which cancels it; it may have ended just before.".to_owned());
    Error::db(error).with_outcome(Outcome::Unknown)
}
