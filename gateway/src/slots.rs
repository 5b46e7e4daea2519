use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use pgferry::{DbError, SqlState};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::metrics::Metrics;

/// What a connection to the upstream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A request over HTTP, which gives its connection back soon.
    Request,
    /// A session over WebSocket, which keeps its connection for as long as it likes.
    Session,
}

/// Leave to use connections to the upstream, for so many at a time, in the order of asking.
pub(crate) struct Slots {
    all: Share,
    per_role: Option<usize>,
    /// Those that have or want a connection now.
    roles: Mutex<HashMap<String, Arc<Share>>>,
    queue_timeout: Duration,
    waiting: AtomicUsize,
    metrics: Arc<Metrics>,
}

/// Connections of which sessions leave a quarter to requests, and one at the least. Where there is only one, either may have it.
struct Share {
    size: usize,
    all: Arc<Semaphore>,
    session_size: usize,
    sessions: Arc<Semaphore>,
}

/// Leave for one connection, until it is dropped.
pub(crate) struct Slot {
    role: Option<RolePlace>,
    _place: Place,
}

struct RolePlace {
    share: Arc<Share>,
    _place: Place,
}

struct Place {
    _session: Option<OwnedSemaphorePermit>,
    _any: OwnedSemaphorePermit,
}

/// No slot came free in time; what a session's client is told of it.
#[derive(Debug)]
pub(crate) struct Full {
    setting: &'static str,
    size: usize,
    session_size: usize,
    waited: Duration,
}

/// How many idle connections are too many, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surplus {
    OfAnyRole,
    OfThisRole,
}

impl Slots {
    pub(crate) fn new(
        max_connections: usize,
        per_role: Option<usize>,
        queue_timeout: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            all: Share::new(max_connections),
            per_role,
            roles: Mutex::default(),
            queue_timeout,
            waiting: AtomicUsize::new(0),
            metrics,
        }
    }

    /// Returns when somebody who begins to wait now stops.
    pub(crate) fn deadline(&self) -> Instant {
        let now = Instant::now();
        // What is too far away to be a time is as good as never.
        now.checked_add(self.queue_timeout).unwrap_or_else(|| now + Duration::from_secs(365 * 86_400))
    }

    /// Waits for a slot. Cancel safe: dropping it gives up the place in the queue.
    pub(crate) async fn take(&self, role: &str, purpose: Purpose, deadline: Instant) -> Result<Slot, Full> {
        let began = Instant::now();
        let _waiting = Waiting::begin(&self.waiting);
        let role = match self.role(role) {
            Some(share) => {
                let place = self.place(&share, purpose, deadline, "max_connections_per_role").await?;
                Some(RolePlace { share, _place: place })
            }
            None => None,
        };
        let place = self.place(&self.all, purpose, deadline, "max_connections").await?;
        self.metrics.queued(began.elapsed());
        Ok(Slot { role, _place: place })
    }

    /// Tells whether idle connections have to be closed before the holder of a slot may open one, so that there are never more than
    /// the limits say. Where there is a surplus, there is an idle connection of its kind.
    pub(crate) fn surplus(&self, slot: &Slot, idle: usize, idle_of_role: usize) -> Option<Surplus> {
        if let Some(RolePlace { share, .. }) = &slot.role
            && idle_of_role > 0
            && share.in_use() + idle_of_role > share.size
        {
            return Some(Surplus::OfThisRole);
        }
        (idle > 0 && self.all.in_use() + idle > self.all.size).then_some(Surplus::OfAnyRole)
    }

    /// How many connections there may be.
    pub(crate) fn limit(&self) -> usize {
        self.all.size
    }

    /// How many are used, or may be at any moment.
    pub(crate) fn in_use(&self) -> usize {
        self.all.in_use()
    }

    /// How many wait for one.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Forgets the roles that have no connection and want none.
    pub(crate) fn tidy(&self) {
        lock(&self.roles).retain(|_, share| Arc::strong_count(share) > 1);
    }

    async fn place(
        &self,
        share: &Share,
        purpose: Purpose,
        deadline: Instant,
        setting: &'static str,
    ) -> Result<Place, Full> {
        match timeout_at(deadline, share.take(purpose)).await {
            Ok(Some(place)) => Ok(place),
            _ => Err(Full { setting, size: share.size, session_size: share.session_size, waited: self.queue_timeout }),
        }
    }

    fn role(&self, role: &str) -> Option<Arc<Share>> {
        let size = self.per_role?;
        let mut roles = lock(&self.roles);
        if let Some(share) = roles.get(role) {
            return Some(Arc::clone(share));
        }
        let share = Arc::new(Share::new(size));
        roles.insert(role.to_owned(), Arc::clone(&share));
        Some(share)
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, per_role, roles: _, queue_timeout, waiting, metrics: _ } = self;
        f.debug_struct("Slots")
            .field("size", &all.size)
            .field("per_role", per_role)
            .field("queue_timeout", queue_timeout)
            .field("waiting", waiting)
            .finish_non_exhaustive()
    }
}

impl Share {
    fn new(size: usize) -> Self {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        let session_size = size.saturating_sub((size / 4).max(1)).max(1);
        Self {
            size,
            all: Arc::new(Semaphore::new(size)),
            session_size,
            sessions: Arc::new(Semaphore::new(session_size)),
        }
    }

    /// Gives `None` never: nobody closes the queues.
    async fn take(&self, purpose: Purpose) -> Option<Place> {
        let session = match purpose {
            Purpose::Session => Some(Arc::clone(&self.sessions).acquire_owned().await.ok()?),
            Purpose::Request => None,
        };
        let any = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Place { _session: session, _any: any })
    }

    fn in_use(&self) -> usize {
        self.size.saturating_sub(self.all.available_permits())
    }
}

impl Full {
    /// Returns what Postgres itself would say where it has no more connections, with what to do.
    pub(crate) fn to_db_error(&self) -> DbError {
        let Self { setting, size, session_size, waited } = self;
        let flag = setting.replace('_', "-");
        let message = format!("too many sessions through this gateway: {setting} is {size}");
        let mut error = DbError::new("FATAL", Some(SqlState::from_code("53300")), message);
        error.detail = Some(format!(
            "Of {size} connections, sessions over WebSocket may have {session_size}; none of them came free within {waited:?}."
        ));
        error.hint = Some(format!(
            "Close sessions that are not used, make the clients' pools smaller, or start the gateway with a larger --{flag} (GatewayConfig::{setting}) where Postgres has the connections."
        ));
        error
    }
}

/// Counts who waits, however the waiting ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(size: usize, per_role: Option<usize>, queue_timeout: Duration) -> Slots {
        Slots::new(size, per_role, queue_timeout, Arc::new(Metrics::new()))
    }

    async fn take(slots: &Slots, role: &str, purpose: Purpose) -> Option<Slot> {
        slots.take(role, purpose, slots.deadline()).await.ok()
    }

    #[tokio::test]
    async fn sessions_leave_a_share_to_requests() {
        let slots = slots(8, None, Duration::from_millis(1));
        let mut sessions = Vec::new();
        while let Some(session) = take(&slots, "app", Purpose::Session).await {
            sessions.push(session);
        }
        assert_eq!(sessions.len(), 6);
        let requests = [take(&slots, "app", Purpose::Request).await, take(&slots, "app", Purpose::Request).await];
        assert!(requests.iter().all(Option::is_some));
        assert!(take(&slots, "app", Purpose::Request).await.is_none());
        assert_eq!(slots.all.in_use(), 8);
        drop(requests);
        assert_eq!(slots.all.in_use(), 6);
    }

    #[tokio::test]
    async fn one_connection_is_for_whoever_comes_first() {
        let slots = slots(1, None, Duration::ZERO);
        let session = take(&slots, "app", Purpose::Session).await;
        assert!(session.is_some());
        assert!(take(&slots, "app", Purpose::Request).await.is_none());
    }

    #[tokio::test]
    async fn a_role_has_a_limit_of_its_own() {
        let slots = slots(8, Some(2), Duration::ZERO);
        let app = [take(&slots, "app", Purpose::Request).await, take(&slots, "app", Purpose::Session).await];
        assert!(app.iter().all(Option::is_some));
        let Err(full) = slots.take("app", Purpose::Request, slots.deadline()).await else { panic!("a third") };
        let error = full.to_db_error();
        assert_eq!(error.code().map(SqlState::as_str), Some("53300"));
        assert!(error.hint.is_some_and(|hint| hint.contains("--max-connections-per-role")));
        assert!(take(&slots, "other", Purpose::Request).await.is_some());
        drop(app);
        assert!(take(&slots, "app", Purpose::Request).await.is_some());
        slots.tidy();
        assert!(lock(&slots.roles).is_empty());
    }

    #[tokio::test]
    async fn idle_connections_give_way() {
        let slots = slots(4, Some(2), Duration::ZERO);
        let Some(slot) = take(&slots, "app", Purpose::Request).await else { panic!("none free") };
        assert_eq!(slots.surplus(&slot, 3, 1), None);
        assert_eq!(slots.surplus(&slot, 4, 1), Some(Surplus::OfAnyRole));
        assert_eq!(slots.surplus(&slot, 3, 2), Some(Surplus::OfThisRole));
    }
}
