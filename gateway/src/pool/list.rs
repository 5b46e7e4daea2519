use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::{
    Session,
    idle::{Closing, Idle},
    lock,
};
use crate::sql::ValueKinds;

/// How long a connection may have been idle before it is asked whether it is still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long the answer to that may take, which costs the server next to nothing.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The sessions of one combination of user, password and database.
pub(super) struct List {
    pub(super) role: String,
    pub(super) permits: Arc<Semaphore>,
    /// The one that was used last is at the end.
    pub(super) idle: Mutex<Vec<Idle>>,
    closing: Mutex<Vec<Closing>>,
    pub(super) kinds: ValueKinds,
}

impl List {
    pub(super) fn new(role: &str, size: usize) -> Self {
        Self {
            role: role.to_owned(),
            permits: Arc::new(Semaphore::new(size.clamp(1, Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
            closing: Mutex::default(),
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
            if is_there(&mut session, since).await {
                return Some((session, logged_in));
            }
        }
    }

    /// How many connections the server counts that no request uses: those that are idle or being closed.
    pub(super) fn unused(&self) -> usize {
        let idle = lock(&self.idle);
        let mut closing = lock(&self.closing);
        closing.retain(|closing| !closing.is_over());
        idle.len() + closing.len()
    }

    /// Returns since when its oldest idle session has been idle.
    pub(super) fn oldest(&self) -> Option<Instant> {
        lock(&self.idle).first().map(|idle| idle.since)
    }

    pub(super) fn take_oldest(&self) -> Option<Idle> {
        let mut idle = lock(&self.idle);
        (!idle.is_empty()).then(|| idle.remove(0))
    }

    pub(super) fn take_closing(&self) -> Option<Closing> {
        lock(&self.closing).pop()
    }

    /// Begins to close the idle sessions of which that is said.
    pub(super) fn close_idle(&self, expired: impl Fn(&Idle) -> bool) {
        let mut idle = lock(&self.idle);
        let (old, young): (Vec<_>, Vec<_>) = idle.drain(..).partition(expired);
        *idle = young;
        // Before the list of idle ones is free, so that none is missing in both.
        lock(&self.closing).extend(old.into_iter().filter_map(Idle::close_later));
    }
}

/// Tells whether the server has not ended the session meanwhile, without a round trip where it was used a moment ago.
async fn is_there(session: &mut Session, since: Instant) -> bool {
    let is_there = async { session.is_quiet().await && (since.elapsed() < TRUSTED || session.ping().await.is_ok()) };
    timeout(PING_TIMEOUT, is_there).await.unwrap_or(false)
}
