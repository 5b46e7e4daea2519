use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::secret;
use crate::{error::Result, wire::BackendKey};

/// The clients that can have their statements cancelled, by the keys that they were given.
///
/// A client keeps its key whatever carries its statements: a request over HTTP, which is dropped, or a session, which is asked.
#[derive(Debug, Default)]
pub(super) struct Cancels {
    clients: Mutex<HashMap<i32, Client>>,
}

#[derive(Debug)]
struct Client {
    secret_key: i32,
    notify: Arc<Notify>,
    /// What the server calls the session that the client's statements go to, while there is one.
    session: Option<BackendKey>,
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
                clients.insert(process_id, Client { secret_key, notify: Arc::clone(&notify), session: None });
                return Ok(Registration { cancels: self, key: BackendKey { process_id, secret_key }, notify });
            }
        }
    }

    /// Tells the client of this key, if there is one, to stop what it is doing here, now or when it next looks; returns the key of its session, which is to
    /// be cancelled on the server.
    pub(super) fn cancel(&self, key: BackendKey) -> Option<BackendKey> {
        let clients = self.lock();
        let client = clients.get(&key.process_id).filter(|client| client.secret_key == key.secret_key)?;
        client.notify.notify_one();
        client.session
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

    /// Notes the session that the client's statements go to from now on, or that there is none any more.
    pub(super) fn set_session(&self, session: Option<BackendKey>) {
        if let Some(client) = self.cancels.lock().get_mut(&self.key.process_id) {
            client.session = session;
        }
    }

    /// Waits until the client's current statement shall be cancelled, or returns at once if that was asked for since the last time.
    /// Cancel safe.
    pub(super) async fn cancelled(&self) {
        self.notify.notified().await;
    }

    /// Forgets a cancel request that came while the client asked for nothing, as Postgres does.
    pub(super) fn forget_cancel(&self) {
        let _ = self.cancelled().now_or_never();
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.cancels.lock().remove(&self.key.process_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_the_session_while_there_is_one() {
        let cancels = Cancels::default();
        let registration = cancels.register().unwrap();
        let session = BackendKey { process_id: 7, secret_key: 8 };
        assert_eq!(cancels.cancel(registration.key()), None);
        registration.set_session(Some(session));
        assert_eq!(cancels.cancel(registration.key()), Some(session));
        let guessed = BackendKey { secret_key: !registration.key().secret_key, ..registration.key() };
        assert_eq!(cancels.cancel(guessed), None);
        registration.set_session(None);
        assert_eq!(cancels.cancel(registration.key()), None);
    }

    #[tokio::test]
    async fn a_cancel_reaches_who_waits_and_who_looks_later_once() {
        let cancels = Cancels::default();
        let registration = cancels.register().unwrap();
        let is_cancelled = || registration.cancelled().now_or_never().is_some();
        cancels.cancel(registration.key());
        assert!(is_cancelled() && !is_cancelled());
        {
            let mut waiting = std::pin::pin!(registration.cancelled());
            assert!(futures_util::poll!(&mut waiting).is_pending());
            cancels.cancel(registration.key());
            waiting.await;
        }
        cancels.cancel(registration.key());
        registration.forget_cancel();
        assert!(!is_cancelled());
        let key = registration.key();
        drop(registration);
        assert_eq!(cancels.cancel(key), None);
    }
}
