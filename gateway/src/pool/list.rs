use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use super::{Session, idle::Idle, lock};
use crate::sql::ValueKinds;

/// How long a connection may have been idle before it is asked whether it is still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// The sessions of one combination of user, password and database.
pub(super) struct List {
    pub(super) role: String,
    pub(super) permits: Arc<Semaphore>,
    /// The one that was used last is at the end.
    pub(super) idle: Mutex<Vec<Idle>>,
    pub(super) kinds: ValueKinds,
}

impl List {
    pub(super) fn new(role: &str, size: usize) -> Self {
        Self {
            role: role.to_owned(),
            permits: Arc::new(Semaphore::new(size.clamp(1, Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
            kinds: ValueKinds::default(),
        }
    }

    /// Takes the session that was used last and is still good, with the time of its log-in.
    pub(super) async fn take(&self, max_lifetime: Duration) -> Option<(Session, Instant)> {
        loop {
            let idle = lock(&self.idle).pop()?;
            if idle.logged_in.elapsed() >= max_lifetime {
                idle.close().await;
                continue;
            }
            let (since, logged_in) = (idle.since, idle.logged_in);
            let Some(mut session) = idle.into_session().await else { continue };
            if since.elapsed() < TRUSTED || session.ping().await.is_ok() {
                return Some((session, logged_in));
            }
        }
    }

    /// Returns since when its oldest idle session has been idle.
    pub(super) fn oldest(&self) -> Option<Instant> {
        lock(&self.idle).first().map(|idle| idle.since)
    }

    pub(super) fn take_oldest(&self) -> Option<Idle> {
        let mut idle = lock(&self.idle);
        (!idle.is_empty()).then(|| idle.remove(0))
    }
}
