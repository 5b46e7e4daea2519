use std::pin::pin;

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    select,
};

use super::{goodbye::Goodbye, opening::lost};
use crate::{
    gateway::Shared,
    slots::{Purpose, Slot},
};

/// How much of what a client sends ahead is kept while it waits, in bytes.
const MAX_READ_AHEAD: usize = 64 * 1024;

/// Waits until this role's session may open a connection. Gives `None` when the client left.
///
/// The client is read meanwhile: its pings are answered, and where it leaves, so does its place in the queue.
pub(super) async fn wait<S>(
    shared: &Shared,
    stream: &mut S,
    unread: &mut BytesMut,
    role: &str,
) -> Result<Option<Slot>, Goodbye>
where
    S: AsyncRead + Unpin,
{
    let mut taken = pin!(shared.slots.take(role, Purpose::Session, shared.slots.deadline()));
    let slot = loop {
        select! {
            biased;
            taken = &mut taken => break taken.map_err(|full| Goodbye(full.to_db_error()))?,
            read = stream.read_buf(unread), if unread.len() < MAX_READ_AHEAD => {
                if read.map_err(lost)? == 0 {
                    return Ok(None);
                }
            }
        }
    };
    shared.pool.make_room(&slot, role).await;
    Ok(Some(slot))
}
