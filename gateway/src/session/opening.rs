use bytes::BytesMut;
use pgferry::{
    Error, Outcome, Result,
    wire::{
        BackendKey,
        server::{Opening, StartupMessage, read_opening},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::log_in::AUTHENTICATION_TIMEOUT;

/// What a client wants of a fresh connection.
pub(super) enum Request {
    Cancel(BackendKey),
    /// A session; `raw` is the message as it came.
    Session {
        raw: BytesMut,
        startup: StartupMessage,
    },
}

/// Reads a client's first messages, and declines encryption: the WebSocket has its own. `None` when the client left.
pub(super) async fn read<S>(stream: &mut S, unread: &mut BytesMut) -> Result<Option<Request>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let reading = async {
        loop {
            let mut raw = unread.clone();
            match read_opening(unread)? {
                Some(Opening::Ssl | Opening::GssEnc) => {
                    stream.write_all(b"N").await.map_err(lost)?;
                    stream.flush().await.map_err(lost)?;
                }
                Some(Opening::Cancel(key)) => return Ok(Some(Request::Cancel(key))),
                Some(Opening::Startup(startup)) => {
                    raw.truncate(raw.len().saturating_sub(unread.len()));
                    return Ok(Some(Request::Session { raw, startup }));
                }
                None => {
                    if stream.read_buf(unread).await.map_err(lost)? == 0 {
                        return Ok(None);
                    }
                }
            }
        }
    };
    timeout(AUTHENTICATION_TIMEOUT, reading)
        .await
        .unwrap_or_else(|_| Err(Error::timeout("startup message", AUTHENTICATION_TIMEOUT, Outcome::NotExecuted)))
}

pub(super) fn lost(error: std::io::Error) -> Error {
    Error::closed("the client was lost while it logged in", Outcome::NotExecuted).with_source(error)
}
