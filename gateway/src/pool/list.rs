use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::Semaphore, task::JoinHandle, time::Instant};

use super::{Session, close, lock};
use crate::{spawn::spawn, sql::ValueKinds};

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

/// A session that is being reset or has been.
pub(super) struct Idle {
    pub(super) since: Instant,
    pub(super) logged_in: Instant,
    pub(super) reset: JoinHandle<Option<Session>>,
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
            let Idle { since, logged_in, reset } = idle;
            // What resets a session is bounded in time.
            let Ok(Some(mut session)) = reset.await else { continue };
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

impl Idle {
    /// Closes the session, and returns when it is closed.
    pub(super) async fn close(self) {
        if let Ok(Some(session)) = self.reset.await {
            close(session).await;
        }
    }

    /// Closes the session in the background.
    pub(super) fn close_later(self) {
        spawn(self.close());
    }
}
