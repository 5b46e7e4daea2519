use std::{sync::Arc, time::Duration};

use pgferry::wire::{BackendKey, Client};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::task::TaskTracker;

use super::{Session, close, idle::Idle, list::List, lock};
use crate::{metrics::Metrics, slots::Slot, spawn::spawn_tracked, sql::ValueKinds, upstream::SharedUpstream};

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
    pub(super) cancels: TaskTracker,
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
            return spawn_tracked(&self.cancels, async move {
                close(session).await;
                drop(place);
            });
        }
        let idle = Idle::new(session, self.logged_in);
        lock(&self.list.idle).push(idle);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let Some(key) = self.key else { return };
        let upstream = Arc::clone(&self.upstream);
        let place = self.place.take();
        self.metrics.cancelled();
        spawn_tracked(&self.cancels, async move {
            if let Err(error) = upstream.cancel(key).await {
                tracing::warn!(%error, "an abandoned query could not be cancelled");
            }
            close(session).await;
            drop(place);
        });
    }
}
