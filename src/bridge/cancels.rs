use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::secret;
use crate::{error::Result, wire::BackendKey};

/// The clients whose requests over HTTP can be cancelled, by the keys that they were given.
#[derive(Debug, Default)]
pub(super) struct Cancels {
    clients: Mutex<HashMap<i32, Client>>,
}

#[derive(Debug)]
struct Client {
    secret_key: i32,
    notify: Arc<Notify>,
}

/// A client's place among them, given up when dropped.
#[derive(Debug)]
pub(super) struct Registration<'a> {
    cancels: &'a Cancels,
    key: BackendKey,
    notify: Arc<Notify>,
}

impl Cancels {
    /// Gives a client a key.
    pub(super) fn register(&self) -> Result<Registration<'_>> {
        let notify = Arc::new(Notify::new());
        let mut clients = self.lock();
        loop {
            let (process_id, secret_key) = (secret::random_i32()? & i32::MAX, secret::random_i32()?);
            // Zero is nobody's process.
            if process_id != 0 && !clients.contains_key(&process_id) {
                clients.insert(process_id, Client { secret_key, notify: Arc::clone(&notify) });
                return Ok(Registration { cancels: self, key: BackendKey { process_id, secret_key }, notify });
            }
        }
    }

    /// Tells the client of this key, if there is one, to stop what it is doing.
    pub(super) fn cancel(&self, key: BackendKey) {
        if let Some(client) = self.lock().get(&key.process_id).filter(|client| client.secret_key == key.secret_key) {
            client.notify.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Client>> {
        // Nothing is left half done while the lock is held.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registration<'_> {
    pub(super) fn key(&self) -> BackendKey {
        self.key
    }

    /// Waits until the client's current statement shall be cancelled; a request that comes while nobody waits is forgotten,
    /// as by Postgres while it is idle.
    pub(super) async fn cancelled(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.cancels.lock().remove(&self.key.process_id);
    }
}
