//! The thread that a handle family's I/O runs on.
//!
//! A caller's own runtime may be current-thread and blocked by a synchronous client, may end while a pool lives on (each
//! `#[tokio::test]` has its own), or may not be tokio at all. So connections, their pools and the bridge live on a thread
//! of their own.

use std::{
    sync::{Arc, mpsc},
    thread::{self, ThreadId},
};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

use crate::error::{Error, Outcome, Result};

/// A handle to a thread with a current-thread tokio runtime; the thread ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Runtime(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    thread: ThreadId,
    // Dropped with the last handle, which is what the thread waits for.
    _alive: oneshot::Sender<()>,
}

impl Runtime {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the system gives no thread or no event queue.
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::connect("the system gives no event queue").with_source(error))?;
        let handle = runtime.handle().clone();
        let (alive, last_handle_dropped) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("pgferry".into())
            .spawn(move || {
                // The error is the signal: nobody sends a value.
                let _ = runtime.block_on(last_handle_dropped);
            })
            .map_err(|error| Error::connect("the system gives no thread").with_source(error))?;
        Ok(Self(Arc::new(Inner { handle, thread: thread.thread().id(), _alive: alive })))
    }

    /// Starts a task that nobody waits for.
    pub fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.handle.spawn(future);
    }

    /// Runs a future on the thread and blocks the calling thread until its result is there.
    ///
    /// It needs no runtime in the caller and works in one as well; there it blocks the executor's thread.
    ///
    /// # Errors
    ///
    /// The future's own; one of unknown outcome when it panicked; one that nothing was executed when called from a task on
    /// this very thread, which would wait for itself.
    pub fn block_on<T, F>(&self, future: F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        if thread::current().id() == self.0.thread {
            return Err(Error::refused("a blocking call on pgferry's own thread would wait for itself"));
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        self.0.handle.spawn(async move {
            // The receiver waits until this arrives, and is gone only with its thread.
            let _ = sender.send(future.await);
        });
        receiver.recv().unwrap_or_else(|_| Err(task_died()))
    }
}

fn task_died() -> Error {
    Error::closed("the task on pgferry's thread ended before it answered", Outcome::Unknown)
}
