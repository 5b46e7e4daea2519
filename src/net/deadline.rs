use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{
    config::Config,
    error::{Error, Outcome, Result},
};

/// When opening a connection has taken too long: one moment for all of its steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    /// The config's connect timeout, from now.
    pub(crate) fn of(config: &Config) -> Self {
        Self::after(config.get_connect_timeout())
    }

    pub(super) fn after(timeout: Duration) -> Self {
        // A timeout beyond what the clock can count is as good as none.
        let now = Instant::now();
        let at = now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(60 * 60 * 24 * 365));
        Self { at, timeout }
    }

    pub(super) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for a future's result, or makes the error that there was no `what`.
    pub(crate) async fn bound<T>(&self, what: &str, future: impl Future<Output = Result<T>>) -> Result<T> {
        match timeout_at(self.at, future).await {
            Ok(result) => result,
            Err(_) => Err(Error::timeout(what, self.timeout, Outcome::NotExecuted)),
        }
    }
}
