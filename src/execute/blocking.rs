use std::sync::Arc;

use super::{CancelToken, Output, Session, Statement};
use crate::{
    config::{Config, Transport},
    error::Result,
    runtime::Runtime,
    wire::{Notification, TransactionStatus},
};

/// A session that blocks the calling thread, for clients without async.
///
/// It works in a plain thread and in a program with no runtime of its own; called from async code it blocks the executor's
/// thread, but does not depend on it. Dropping it ends the session in the background.
#[derive(Debug)]
pub struct BlockingSession {
    session: Arc<Session>,
}

impl BlockingSession {
    /// Opens a session on a thread of its own.
    ///
    /// # Errors
    ///
    /// Those of [`Session::connect`], and when the system gives no thread.
    pub fn connect(config: &Config) -> Result<Self> {
        let runtime = Runtime::start()?;
        let (config, its_runtime) = (config.clone(), runtime.clone());
        let session = runtime.block_on(async move { Session::connect_on(&config, its_runtime).await })?;
        Ok(Self { session: Arc::new(session) })
    }

    /// Executes a statement and waits for its whole result.
    ///
    /// # Errors
    ///
    /// Those of [`Answers::next`](super::Answers::next).
    pub fn execute(&mut self, statement: Statement) -> Result<Output> {
        let answers = self.session.execute(statement);
        self.session.runtime().block_on(answers.collect())
    }

    /// Executes a script without parameters; what it returns is dropped.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute); over HTTP a statement that needs a session is refused and nothing of the script is sent.
    pub fn batch_execute(&mut self, script: &str) -> Result<()> {
        let answers = self.session.batch_execute(script);
        self.session.runtime().block_on(async move { answers.finish().await })
    }

    /// Runs an operation on the session and waits for its result.
    ///
    /// # Errors
    ///
    /// The operation's own.
    pub fn run<T, F>(&mut self, operation: impl FnOnce(Arc<Session>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        self.session.runtime().block_on(operation(Arc::clone(&self.session)))
    }

    /// Lets the server forget a named statement.
    pub fn forget(&mut self, name: u64) {
        self.session.forget(name);
    }

    /// Takes the next of the notifications that have arrived, as [`Session::take_notification`].
    pub fn take_notification(&mut self) -> Option<Notification> {
        self.session.take_notification()
    }

    /// Returns what cancels the statement that is running then, from any thread.
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        self.session.cancel_token()
    }

    /// Returns the transaction status of the last answer.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        self.session.transaction_status()
    }

    /// Returns whether the session can go on.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.session.is_usable()
    }

    /// Returns what carries the session at the moment, never [`Transport::Auto`].
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.session.transport()
    }
}
