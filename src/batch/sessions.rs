use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::time;

use super::idle::Idle;
use crate::{
    config::Config,
    error::Result,
    execute::{self, Opening, WireClient},
    runtime::Runtime,
    wire::{BackendKey, TransactionStatus},
};

/// How long one that is given up is waited for.
const CLOSES_WITHIN: Duration = Duration::from_secs(10);

/// Sessions over WebSocket that batches share, one batch at a time each.
#[derive(Debug)]
pub(super) struct Sessions {
    config: Config,
    runtime: Runtime,
    idle: Arc<Mutex<Idle<Box<WireClient>>>>,
}

/// A session that works for one batch. Dropped meanwhile, it asks the server to stop what it is running.
#[derive(Debug)]
pub(super) struct Working<'a> {
    sessions: &'a Sessions,
    /// None when it was given back.
    client: Option<Box<WireClient>>,
    key: Option<BackendKey>,
    /// It was used before: the connection may have been lost since.
    pub(super) is_used: bool,
    is_running: bool,
}

impl Sessions {
    pub(super) fn new(config: &Config, runtime: &Runtime) -> Self {
        Self { config: config.clone(), runtime: runtime.clone(), idle: Arc::default() }
    }

    /// Takes one that is idle, or opens another.
    pub(super) async fn take(&self) -> Result<Working<'_>> {
        loop {
            let Some(mut client) = lock(&self.idle).take() else { break };
            if client.is_quiet().await {
                return Ok(self.working(client, true));
            }
        }
        self.open().await
    }

    pub(super) async fn open(&self) -> Result<Working<'_>> {
        let client = execute::open(&self.config, &Opening::canonical(&self.config)).await?;
        Ok(self.working(Box::new(client), false))
    }

    fn working(&self, client: Box<WireClient>, is_used: bool) -> Working<'_> {
        Working { sessions: self, key: client.backend_key(), client: Some(client), is_used, is_running: false }
    }

    fn give_back(&self, client: Box<WireClient>) {
        if lock(&self.idle).keep(client, Instant::now()) {
            self.runtime.spawn(close_old(Arc::downgrade(&self.idle)));
        }
    }
}

impl Working<'_> {
    /// The session's client, with which something is about to be run.
    pub(super) fn client(&mut self) -> Option<&mut WireClient> {
        self.is_running = true;
        self.client.as_deref_mut()
    }

    /// Notes that what ran has ended, and keeps the session for others where it can go on and nothing of this batch is left in it.
    pub(super) fn end(mut self, is_clean: bool) {
        self.is_running = false;
        if let Some(client) = self.client.take()
            && is_clean
            && client.is_usable()
            && client.transaction_status() == TransactionStatus::Idle
        {
            self.sessions.give_back(client);
        }
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let (config, key) = (self.sessions.config.clone(), self.key.filter(|_| self.is_running));
        self.sessions.runtime.spawn(async move {
            let limit = config.get_connect_timeout();
            if let Some(key) = key {
                // Nobody waits for the answer any more.
                let _ = time::timeout(limit, execute::cancel(&config, key)).await;
            }
            let _ = time::timeout(limit, client.close()).await;
        });
    }
}

/// Closes sessions that have had no work for long enough, until there are none.
async fn close_old(idle: Weak<Mutex<Idle<Box<WireClient>>>>) {
    loop {
        let Some((old, pause)) = idle.upgrade().map(|idle| lock(&idle).expire(Instant::now())) else { return };
        for client in old {
            // It is given up either way.
            let _ = time::timeout(CLOSES_WITHIN, client.close()).await;
        }
        let Some(pause) = pause else { return };
        time::sleep(pause).await;
    }
}

fn lock(idle: &Mutex<Idle<Box<WireClient>>>) -> MutexGuard<'_, Idle<Box<WireClient>>> {
    // A list has no state between two others.
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
