use std::io;

use tokio::io::{AsyncRead, copy, sink};

/// Reads to the end what nobody wants.
pub(super) async fn drain(from: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    copy(from, &mut sink()).await.map(drop)
}
