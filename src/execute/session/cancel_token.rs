use std::sync::Arc;

use super::noted::Noted;
use crate::{
    config::Config,
    error::{Error, Outcome, Result},
    execute,
    runtime::Runtime,
};

/// Cancels what a session is running.
///
/// Cheap to clone. It keeps the session's thread, but not the session.
#[derive(Clone, Debug)]
pub struct CancelToken {
    config: Config,
    runtime: Runtime,
    noted: Arc<Noted>,
}

impl CancelToken {
    pub(super) fn new(config: Config, runtime: Runtime, noted: Arc<Noted>) -> Self {
        Self { config, runtime, noted }
    }

    /// Asks for the statement that is running to be cancelled; where none is, nothing happens.
    ///
    /// Over WebSocket a second one carries the request (manual, section 55.2.9), and the statement fails with SQLSTATE 57014 unless it
    /// ended just before. Over HTTP the request is dropped, which cancels it.
    ///
    /// Cancel safe in that the request may or may not have been made.
    ///
    /// # Errors
    ///
    /// When no second WebSocket could be opened within the connect timeout.
    pub async fn cancel(&self) -> Result<()> {
        let Some(key) = self.noted.key() else {
            self.noted.cancelled.notify_waiters();
            return Ok(());
        };
        let (config, limit) = (self.config.clone(), self.config.get_connect_timeout());
        let (sender, done) = tokio::sync::oneshot::channel();
        self.runtime.spawn(async move {
            let late = || Error::timeout("cancel request", limit, Outcome::NotExecuted);
            let result = tokio::time::timeout(limit, execute::cancel(&config, key)).await;
            // The caller may have gone on.
            let _ = sender.send(result.unwrap_or_else(|_| Err(late())));
        });
        done.await.unwrap_or_else(|_| Err(Error::closed("the cancel request was lost", Outcome::NotExecuted)))
    }

    /// Asks as [`cancel`](Self::cancel) does, and blocks the calling thread until the request was made.
    ///
    /// # Errors
    ///
    /// As for [`cancel`](Self::cancel).
    pub fn cancel_blocking(&self) -> Result<()> {
        let token = self.clone();
        self.runtime.block_on(async move { token.cancel().await })
    }
}
