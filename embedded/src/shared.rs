use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use pgferry::config::Password;
use tokio::sync::Notify;

use crate::{
    backend::Backend,
    engine::{Engine, Launch},
    session::{Kept, Requests},
};

/// What all sessions of a server share.
pub(crate) struct Shared {
    pub(crate) password: Password,
    pub(crate) queue_timeout: Duration,
    pub(crate) launch: Launch,
    pub(crate) requests: Requests,
    /// Held by the session whose turn it is.
    pub(crate) seat: Arc<tokio::sync::Mutex<Seat>>,
    /// Told when a session that kept the others out lets them in.
    pub(crate) freed: Notify,
    /// Why the session whose turn it is keeps it, for those that wait in vain.
    pub(crate) reason: Mutex<&'static str>,
    last_session: AtomicI32,
}

/// The backend, and whose state is in it.
pub(crate) struct Seat {
    /// `None` once it has ended, until it is started again.
    pub(crate) engine: Option<Engine>,
    pub(crate) backend: Option<Backend>,
    pub(crate) occupant: Option<Occupant>,
}

/// The session whose state is in the backend.
pub(crate) struct Occupant {
    pub(crate) session: i32,
    /// What it gets back later.
    pub(crate) kept: Arc<Mutex<Kept>>,
    /// Whether it has run anything since its state was last asked for.
    pub(crate) unasked: bool,
    /// What it has that cannot be given back, so that no other session can be let in.
    pub(crate) pinned: Option<&'static str>,
}

impl Shared {
    pub(crate) fn new(password: Password, queue_timeout: Duration, launch: Launch, seat: Seat) -> Self {
        Self {
            password,
            queue_timeout,
            launch,
            requests: Requests::default(),
            seat: Arc::new(tokio::sync::Mutex::new(seat)),
            freed: Notify::new(),
            reason: Mutex::new(""),
            last_session: AtomicI32::new(0),
        }
    }

    /// Numbers a session.
    pub(crate) fn number(&self) -> i32 {
        self.last_session.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    pub(crate) fn say(&self, reason: &'static str) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    pub(crate) fn said(&self) -> &'static str {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
