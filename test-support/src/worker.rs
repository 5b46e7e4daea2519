use std::{future::Future, sync::mpsc, thread};

use anyhow::{Context, Result};
use tokio::{runtime::Builder, sync::oneshot};

/// A thread with a runtime of its own, so that what runs on it does not depend on the test's: that may be another kind of
/// runtime, blocked, or none.
#[derive(Debug)]
pub(crate) struct Worker {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Runs `start` and gives the part of its result that is for the caller; keeps the other part, on the thread, until the
    /// worker is dropped.
    pub(crate) fn start<T, K, F>(start: impl FnOnce() -> F + Send + 'static) -> Result<(Self, T)>
    where
        T: Send + 'static,
        F: Future<Output = Result<(T, K)>>,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let (sender, receiver) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("test-support".into()).spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error.into()))),
            };
            runtime.block_on(async move {
                match start().await {
                    Ok((result, kept)) => {
                        // The receiver waits for it, and an error is the signal to stop.
                        let _ = sender.send(Ok(result));
                        let _ = stopped.await;
                        drop(kept);
                    }
                    Err(error) => drop(sender.send(Err(error))),
                }
            });
        })?;
        let worker = Self { stop: Some(stop), thread: Some(thread) };
        let result = receiver.recv().context("the thread of a test's server ended")??;
        Ok((worker, result))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What panicked there has said so.
            let _ = thread.join();
        }
    }
}
