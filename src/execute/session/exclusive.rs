use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::{Session, command::Command, command::lost};
use crate::{
    error::{Error, Result},
    execute::{HttpSession, WireClient},
};

/// What carries a session, for an operation that has it for itself.
#[derive(Debug)]
pub enum Carrier<'a> {
    /// SQL over HTTP.
    Http(&'a HttpSession),
    /// A session over WebSocket, with nothing under way.
    Session(&'a mut WireClient),
}

/// An operation on the carrier that no statement runs beside.
pub(super) struct Exclusive {
    pub(super) operation: Operation,
    pub(super) demands: Demands,
    /// Told why it was never run, where that is known.
    pub(super) refused: oneshot::Sender<Error>,
}

type Operation = Box<dyn for<'a> FnOnce(Carrier<'a>) -> BoxFuture<'a, ()> + Send>;

/// What must be known of an operation before it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demands {
    /// HTTP does not do for it, where there is a choice.
    pub session: bool,
    /// It may leave something in a session that outlives its transaction.
    pub leaves_state: bool,
}

impl Session {
    /// Runs an operation behind the statements that were handed over, with what carries the session for itself.
    ///
    /// Dropping the future leaves the operation to end by itself. The operation runs on the session's own thread, within the deadline of
    /// a statement.
    ///
    /// # Errors
    ///
    /// When the session was lost before, or with it; the operation's own are its result.
    pub async fn exclusively<T, F>(&self, demands: Demands, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(Carrier<'a>) -> BoxFuture<'a, T> + Send + 'static,
    {
        let (sender, result) = oneshot::channel();
        let operation: Operation = Box::new(move |carrier| {
            let running = operation(carrier);
            Box::pin(async move {
                // Whoever asked may not wait any more.
                let _ = sender.send(running.await);
            })
        });
        // A session that was lost drops the operation, and with it the sender.
        let (refused, refusal) = oneshot::channel();
        let _ = self.commands.send(Command::Exclusive(Exclusive { operation, demands, refused }));
        match result.await {
            Ok(result) => Ok(result),
            Err(_) => Err(refusal.await.unwrap_or_else(|_| lost())),
        }
    }
}
