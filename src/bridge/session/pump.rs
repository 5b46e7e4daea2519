use std::io;

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{self, Instant},
};

use super::{
    end::End,
    exchange::{Exchange, ROOM},
};

/// How much is read at once: large results would otherwise be passed on in tiny pieces.
const READ: usize = 64 * 1024;

/// How much of the client's is read ahead of what can be taken of it, in bytes: more than a text that is looked at whole.
const READ_AHEAD: usize = 2 * 1024 * 1024;

/// Carries messages both ways until the session ends.
///
/// Every wait is for both directions: whoever writes a lot and whoever talks meanwhile never wait for each other.
pub(super) async fn run<L, R>(
    local: &mut L,
    read: &mut BytesMut,
    remote: &mut R,
    received: &mut BytesMut,
    exchange: &mut Exchange,
    leaves_after: Option<time::Duration>,
) -> End
where
    L: AsyncRead + AsyncWrite + Unpin,
    R: AsyncRead + AsyncWrite + Unpin,
{
    let (mut local_read, mut local_write) = tokio::io::split(local);
    let (mut remote_read, mut remote_write) = tokio::io::split(remote);
    let (mut flush_local, mut flush_remote) = (false, false);
    loop {
        // An answer may be what the client's next message waits for.
        if let Err(end) = exchange.take_from_server(received) {
            return end;
        }
        if let Err(error) = exchange.take_from_client(read) {
            return error.into();
        }
        if exchange.goodbye && exchange.to_server.is_empty() && !flush_remote {
            return End::Local;
        }
        let leaves_at = leaves_after
            .filter(|_| exchange.is_clean() && read.is_empty() && received.is_empty())
            .and_then(|after| exchange.patience.heard_at().checked_add(after));
        reserve(read);
        reserve(received);
        let may_read_local = !exchange.goodbye && read.len() < READ_AHEAD && exchange.to_server.len() < ROOM;
        let may_read_remote = exchange.to_client.len() < ROOM;
        let sends_up = flush_remote || !exchange.to_server.is_empty();
        let sends_down = flush_local || !exchange.to_client.is_empty();
        let (up, down) = (&mut exchange.to_server, &mut exchange.to_client);
        tokio::select! {
            sent = send(&mut remote_write, up, &mut flush_remote), if sends_up => match sent {
                Ok(()) => {}
                Err(error) => return End::Remote(Some(error)),
            },
            sent = send(&mut local_write, down, &mut flush_local), if sends_down => {
                if sent.is_err() {
                    return End::Local;
                }
            }
            count = remote_read.read_buf(received), if may_read_remote => match count {
                Ok(1..) => exchange.patience.heard(),
                Ok(0) => return End::Remote(None),
                Err(error) => return End::Remote(Some(error)),
            },
            count = local_read.read_buf(read), if may_read_local => {
                if !matches!(count, Ok(1..)) {
                    return End::Local;
                }
            }
            () = sleep_until(exchange.patience.wakes_at()) => {
                if let Some(end) = exchange.patience.end(exchange.to_client.is_empty()) {
                    return end;
                }
            }
            () = sleep_until(leaves_at) => return End::Idle,
        }
    }
}

/// Writes all of a buffer. Cancel safe: what was written is taken off it, and that it is to be flushed is noted.
async fn send<W: AsyncWrite + Unpin>(writer: &mut W, buffer: &mut BytesMut, unflushed: &mut bool) -> io::Result<()> {
    while !buffer.is_empty() {
        if writer.write_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *unflushed = true;
    }
    writer.flush().await?;
    *unflushed = false;
    Ok(())
}

fn reserve(buffer: &mut BytesMut) {
    if buffer.capacity() - buffer.len() < READ / 4 {
        buffer.reserve(READ);
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
