use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until};

/// A compute that has to be started before it does anything, and falls asleep when nothing has run for a while.
#[derive(Debug)]
pub(super) struct ColdStart {
    takes: Duration,
    after: Option<Duration>,
    compute: Arc<Mutex<Compute>>,
}

#[derive(Debug, Default)]
struct Compute {
    /// When it has started, or will have; `None` while it sleeps.
    ready: Option<Instant>,
    running: usize,
    /// When something last ran.
    last: Option<Instant>,
}

/// Something that runs and keeps the compute awake until this is dropped.
#[derive(Debug)]
pub(super) struct Running(Arc<Mutex<Compute>>);

impl ColdStart {
    pub(super) fn new(takes: Duration, after: Option<Duration>) -> Self {
        Self { takes, after, compute: Arc::default() }
    }

    /// Waits until the compute runs, and starts it where nobody has; tells whether that was so.
    ///
    /// Cancel safe: a start that has begun goes on.
    pub(super) async fn wake(&self) -> (Running, bool) {
        let (ready, running, started) = {
            let mut compute = lock(&self.compute);
            let now = Instant::now();
            if compute.asleep_at(self.after).is_some_and(|at| at <= now) {
                compute.ready = None;
            }
            let started = compute.ready.is_none();
            let ready = *compute.ready.get_or_insert(now + self.takes);
            compute.running += 1;
            (ready, Running(Arc::clone(&self.compute)), started)
        };
        if started {
            tracing::info!(fault = "cold-start", "injected");
        }
        sleep_until(ready).await;
        (running, started)
    }

    /// Notes that something begins to run on a compute that is awake.
    pub(super) fn run(&self) -> Running {
        lock(&self.compute).running += 1;
        Running(Arc::clone(&self.compute))
    }

    /// Waits until the compute falls asleep, which may be never. Cancel safe.
    pub(super) async fn asleep(&self) {
        let Some(after) = self.after else { return std::future::pending().await };
        loop {
            let due = lock(&self.compute).asleep_at(self.after);
            match due {
                Some(due) if due <= Instant::now() => return,
                Some(due) => sleep_until(due).await,
                None => sleep(after).await,
            }
        }
    }
}

impl Compute {
    /// When it falls asleep, if nothing runs until then.
    fn asleep_at(&self, after: Option<Duration>) -> Option<Instant> {
        if self.running > 0 { None } else { Some(self.last? + after?) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut compute = lock(&self.0);
        compute.running = compute.running.saturating_sub(1);
        compute.last = Some(Instant::now());
    }
}

fn lock(compute: &Mutex<Compute>) -> MutexGuard<'_, Compute> {
    compute.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(3);
    const IDLE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn whatever_comes_first_waits_and_again_after_a_while() {
        let cold = ColdStart::new(START, Some(IDLE));
        let begun = Instant::now();
        let waited = async |begun: Instant| (cold.wake().await.1, begun.elapsed().as_secs());
        assert_eq!(tokio::join!(waited(begun), waited(begun)), ((true, 3), (false, 3)), "one start for both");
        sleep(IDLE / 2).await;
        assert_eq!(waited(Instant::now()).await, (false, 0));
        let running = cold.run();
        sleep(IDLE * 2).await;
        drop(running);
        assert_eq!(waited(Instant::now()).await, (false, 0), "what runs keeps it awake");
        sleep(IDLE).await;
        assert_eq!(waited(Instant::now()).await, (true, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_its_sleep_is_told_when_nothing_runs() {
        let cold = ColdStart::new(START, Some(IDLE));
        let begun = Instant::now();
        let (running, _) = cold.wake().await;
        tokio::join!(cold.asleep(), async {
            sleep(IDLE * 3).await;
            drop(running);
        });
        assert_eq!(begun.elapsed(), START + IDLE * 4);
    }
}
