use std::{sync::Arc, time::Duration};

use pgferry::{
    Result,
    wire::{BackendKey, Client, TransactionStatus},
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::{
    Session, close,
    list::{Idle, List},
    lock,
};
use crate::{metrics::Metrics, slots::Slot, spawn::spawn, sql::ValueKinds, upstream::SharedUpstream};

/// How long a connection may take to forget what a request did to it.
const RESET_TIMEOUT: Duration = Duration::from_secs(10);

/// A session while one request uses it.
///
/// Dropping it without [`finish`](Self::finish) means that the request was given up in mid-query: the query is cancelled and
/// the session closed.
pub(crate) struct Lease {
    pub(super) session: Option<Session>,
    pub(super) logged_in: Instant,
    pub(super) max_lifetime: Duration,
    pub(super) key: Option<BackendKey>,
    pub(super) upstream: SharedUpstream,
    pub(super) metrics: Arc<Metrics>,
    pub(super) list: Arc<List>,
    /// Given back when the session is idle or closed.
    pub(super) place: Option<(OwnedSemaphorePermit, Slot)>,
}

impl Lease {
    /// Returns the session, and what is known of its database's types.
    pub(crate) fn parts(&mut self) -> Option<(&mut Session, &ValueKinds)> {
        Some((self.session.as_mut()?, &self.list.kinds))
    }

    /// Gives the session back after its last query has ended, unless its time is over.
    pub(crate) fn finish(mut self) {
        let Some(session) = self.session.take().filter(Client::is_usable) else { return };
        if self.logged_in.elapsed() >= self.max_lifetime {
            let place = self.place.take();
            return spawn(async move {
                close(session).await;
                drop(place);
            });
        }
        let reset = tokio::spawn(reset(session));
        lock(&self.list.idle).push(Idle { since: Instant::now(), logged_in: self.logged_in, reset });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let Some(key) = self.key else { return };
        let upstream = Arc::clone(&self.upstream);
        let place = self.place.take();
        self.metrics.cancelled();
        spawn(async move {
            if let Err(error) = upstream.cancel(key).await {
                tracing::warn!(%error, "an abandoned query could not be cancelled");
            }
            drop(session);
            drop(place);
        });
    }
}

/// Makes a session as if it had just been opened; `None` where that fails.
async fn reset(mut session: Session) -> Option<Session> {
    let forget = async {
        if session.transaction_status() != TransactionStatus::Idle {
            run(&mut session, "ROLLBACK").await?;
        }
        // Everything else that a session can hold, advisory locks, LISTEN and the role included.
        run(&mut session, "DISCARD ALL").await
    };
    let done = timeout(RESET_TIMEOUT, forget).await;
    (matches!(done, Ok(Ok(()))) && session.transaction_status() == TransactionStatus::Idle).then_some(session)
}

async fn run(session: &mut Session, text: &str) -> Result<()> {
    session.simple_query(text).await?.finish().await?;
    session.take_notices();
    Ok(())
}
