use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{
    error::{Error, Outcome, Result},
    wire::BackendKey,
};

/// Asks the server to cancel what the session of this key is running (manual, section 55.2.8); the stream must be a fresh one.
///
/// Returns when the server has closed the stream, by when it has passed the request on; that it came in time is never told.
/// Without a deadline of its own. Not cancel safe in that the request may or may not have gone out.
///
/// # Errors
///
/// When the request could not be sent.
pub async fn cancel<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, key: BackendKey) -> Result<()> {
    let failed = |error| Error::closed("the cancel request could not be sent", Outcome::NotExecuted).with_source(error);
    let mut request = BytesMut::new();
    frontend::cancel_request(key.process_id, key.secret_key, &mut request);
    stream.write_all(&request).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    // Servers answer nothing and close, some of them rudely.
    while matches!(stream.read(&mut [0; 64]).await, Ok(1..)) {}
    Ok(())
}
