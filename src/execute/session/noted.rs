use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{
    config::Transport,
    wire::{BackendKey, TransactionStatus},
};

/// What a session's task has told of it.
#[derive(Debug)]
pub(super) struct Noted {
    state: Mutex<State>,
    /// Ends the request that runs over HTTP.
    pub(super) cancelled: Notify,
}

#[derive(Debug)]
struct State {
    status: TransactionStatus,
    usable: bool,
    transport: Transport,
    key: Option<BackendKey>,
}

impl Default for Noted {
    fn default() -> Self {
        let state = State { status: TransactionStatus::Idle, usable: true, transport: Transport::Http, key: None };
        Self { state: Mutex::new(state), cancelled: Notify::new() }
    }
}

impl Noted {
    pub(super) fn status(&self) -> TransactionStatus {
        self.lock().status
    }

    pub(super) fn is_usable(&self) -> bool {
        self.lock().usable
    }

    pub(super) fn transport(&self) -> Transport {
        self.lock().transport
    }

    pub(super) fn key(&self) -> Option<BackendKey> {
        self.lock().key
    }

    pub(super) fn set_status(&self, status: TransactionStatus) {
        self.lock().status = status;
    }

    pub(super) fn set_lost(&self) {
        let mut state = self.lock();
        state.usable = false;
        state.status = TransactionStatus::Idle;
    }

    pub(super) fn set_road(&self, transport: Transport, key: Option<BackendKey>) {
        let mut state = self.lock();
        (state.transport, state.key) = (transport, key);
        // Roads are changed between transactions.
        state.status = TransactionStatus::Idle;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
