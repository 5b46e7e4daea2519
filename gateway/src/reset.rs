//! Makes a session forget what a request did to it.

use std::time::Duration;

use pgferry::{
    Result,
    wire::{Client, TransactionStatus},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

/// How long a session may take to forget.
const RESET_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that a session can hold outside of a transaction, advisory locks, LISTEN and the role included.
const FORGET: &str = "DISCARD ALL";

/// Queues the reset behind what is queued already, so that it costs no round trip and no waiting of its own.
/// It must not stand behind what may copy from the client, which would take it for the data. Cancel safe.
pub(crate) async fn queue<S>(session: &mut Client<S>) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    session.queue_simple_query(FORGET).await
}

/// Returns whether the server has been sent a reset behind the last statement, and will run it whoever waits for its answer.
pub(crate) fn is_sent<S>(session: &Client<S>) -> bool {
    session.has_next_execution() && session.is_sent()
}

/// Makes a session as if it had just been opened, once the results of its request were read; returns whether it is.
///
/// Not cancel safe: the session is then to be closed.
pub(crate) async fn finish<S>(session: &mut Client<S>) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let done = matches!(timeout(RESET_TIMEOUT, forget(session)).await, Ok(Ok(())));
    session.take_notices();
    done && session.transaction_status() == TransactionStatus::Idle
}

async fn forget<S>(session: &mut Client<S>) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // The one that was queued is refused where the request failed inside a transaction.
    if let Some(queued) = session.next_execution()
        && queued.finish().await.is_ok()
    {
        return Ok(());
    }
    if session.transaction_status() != TransactionStatus::Idle {
        session.simple_query("ROLLBACK").await?.finish().await?;
    }
    session.simple_query(FORGET).await?.finish().await.map(drop)
}
