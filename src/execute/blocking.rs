use super::{Output, Session, Statement};
use crate::{
    config::{Config, Transport},
    error::{Error, Outcome, Result},
    runtime::Runtime,
    wire::TransactionStatus,
};

/// A session that blocks the calling thread, for clients without async.
///
/// It works in a plain thread and in a program with no runtime of its own; called from async code it blocks the executor's
/// thread, but does not depend on it.
#[derive(Debug)]
pub struct BlockingSession {
    runtime: Runtime,
    // None while the session is on the runtime's thread, and for ever once it was lost there.
    session: Option<Session>,
    transport: Transport,
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
        let session = runtime.block_on(async move { Session::connect(&config, &its_runtime).await })?;
        Ok(Self { transport: session.transport(), runtime, session: Some(session) })
    }

    /// Executes a statement and waits for its whole result.
    ///
    /// # Errors
    ///
    /// Those of [`Session::execute`].
    pub fn execute(&mut self, statement: Statement) -> Result<Output> {
        self.with(|mut session| async move {
            let result = session.execute(&statement).await;
            (session, result)
        })
    }

    /// Executes a script without parameters; what it returns is dropped.
    ///
    /// # Errors
    ///
    /// Those of [`Session::batch_execute`].
    pub fn batch_execute(&mut self, script: &str) -> Result<()> {
        let script = script.to_owned();
        self.with(|mut session| async move {
            let result = session.batch_execute(&script).await;
            (session, result)
        })
    }

    /// Lets the server forget a named statement.
    pub fn forget(&mut self, name: u64) {
        if let Some(session) = &mut self.session {
            session.forget(name);
        }
    }

    /// Returns the transaction status of the last answer.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        self.session.as_ref().map_or(TransactionStatus::Idle, Session::transaction_status)
    }

    /// Returns whether the session can go on.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_usable)
    }

    /// Returns what carries statements now, or carried the last one where the session is lost.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.session.as_ref().map_or(self.transport, Session::transport)
    }

    fn with<T, F>(&mut self, operation: impl FnOnce(Session) -> F) -> Result<T>
    where
        F: Future<Output = (Session, Result<T>)> + Send + 'static,
        T: Send + 'static,
    {
        let Some(session) = self.session.take() else {
            return Err(Error::closed("the session was lost: open another", Outcome::NotExecuted));
        };
        let future = operation(session);
        let (session, result) = self.runtime.block_on(async move { Ok(future.await) })?;
        self.transport = session.transport();
        self.session = Some(session);
        result
    }
}

impl Drop for BlockingSession {
    /// Says goodbye in the background; the thread ends when that is done.
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let runtime = self.runtime.clone();
            self.runtime.spawn(async move {
                // Whoever dropped it does not wait to hear that the connection was lost before.
                let _ = session.close().await;
                drop(runtime);
            });
        }
    }
}
