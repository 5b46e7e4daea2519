use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use pgferry::wire::BackendKey;
use tokio::sync::watch;

/// The sessions whose statements can be cancelled, and the keys that it takes.
#[derive(Default)]
pub(crate) struct Requests(Arc<Sessions>);

type Sessions = Mutex<HashMap<i32, (i32, watch::Sender<()>)>>;

/// A session's place among them, until it is dropped.
pub(crate) struct Cancelled {
    sessions: Arc<Sessions>,
    pub(crate) key: BackendKey,
    requested: watch::Receiver<()>,
}

impl Requests {
    /// Enters a session.
    pub(crate) fn enter(&self, number: i32) -> Result<Cancelled, getrandom::Error> {
        let mut secret = [0; 4];
        getrandom::fill(&mut secret)?;
        let secret = i32::from_be_bytes(secret);
        let (request, requested) = watch::channel(());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (secret, request));
        Ok(Cancelled {
            sessions: Arc::clone(&self.0),
            key: BackendKey { process_id: number, secret_key: secret },
            requested,
        })
    }

    /// Cancels what the session runs that the key belongs to; without a word where there is none, as Postgres does.
    pub(crate) fn cancel(&self, key: &BackendKey) {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((secret, request)) = sessions.get(&key.process_id)
            && *secret == key.secret_key
        {
            request.send_replace(());
        }
    }
}

impl Cancelled {
    /// Forgets requests that have come when nothing ran.
    pub(crate) fn forget(&mut self) {
        self.requested.mark_unchanged();
    }

    /// Waits for a request. Cancel safe.
    pub(crate) async fn requested(&mut self) {
        if self.requested.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key.process_id);
    }
}
