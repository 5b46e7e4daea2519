use std::time::Duration;

use tokio::time::{Instant, error::Elapsed, timeout_at};

/// When a request has taken too long; the time in which nobody takes what has arrived is not the server's.
#[derive(Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        // A deadline beyond what the clock can count is none.
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Waits for the server.
    pub(super) async fn bound<T>(&self, future: impl Future<Output = T>) -> Result<T, Elapsed> {
        match self.0 {
            Some(at) => timeout_at(at, future).await,
            None => Ok(future.await),
        }
    }

    /// Waits for the reader.
    pub(super) async fn pause<T>(&mut self, future: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let value = future.await;
        self.0 = self.0.and_then(|at| at.checked_add(began.elapsed()));
        value
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn only_what_the_server_takes_is_counted() {
        let mut deadline = Deadline::after(Some(3 * SECOND));
        deadline.bound(sleep(2 * SECOND)).await.unwrap();
        deadline.pause(sleep(10 * SECOND)).await;
        let began = Instant::now();
        deadline.bound(pending::<()>()).await.unwrap_err();
        assert_eq!(began.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn none_and_one_beyond_the_clock_are_the_same() {
        for timeout in [None, Some(Duration::MAX)] {
            let mut deadline = Deadline::after(timeout);
            deadline.pause(sleep(SECOND)).await;
            deadline.bound(sleep(1000 * SECOND)).await.unwrap();
        }
    }
}
