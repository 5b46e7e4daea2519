use std::{sync::PoisonError, time::Duration};

use pgferry::wire::{TransactionStatus, server};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

use super::{
    requests::Cancelled,
    run::{Ending, Session},
};
use crate::{backend::Failure, engine::Engine, message, session::state, shared::Seat, turn};

/// How long what a client has left behind may go on: long enough for what is about to end.
const GRACE: Duration = Duration::from_secs(2);

/// Why a statement is ended before its time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// Its client has asked for it.
    Request,
    /// The time that `statement_timeout` gives it is over.
    Timeout,
    /// Its client has gone.
    Gone,
}

/// When a statement is to be ended.
pub(super) struct Limits {
    timeout: Option<Duration>,
    over: Option<Instant>,
    gone: Option<Instant>,
}

/// What a client finds that a statement of its was ended for.
#[derive(Clone, Copy)]
pub(super) struct Left {
    /// Whether a transaction was open, which has failed now.
    pub(super) in_transaction: bool,
    /// Whether the client has still to send a Sync, before which it is not answered.
    pub(super) awaits_sync: bool,
}

impl Limits {
    pub(super) fn new(timeout: Option<Duration>) -> Self {
        let mut limits = Self { timeout, over: None, gone: None };
        limits.begin();
        limits
    }

    /// Notes that a statement begins.
    pub(super) fn begin(&mut self) {
        self.over = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    }

    /// Notes that the client has gone.
    pub(super) fn leave(&mut self) {
        self.gone.get_or_insert_with(|| Instant::now() + GRACE);
    }

    /// Waits until the statement is to be ended. Cancel safe.
    pub(super) async fn come(&self, cancelled: &mut Cancelled) -> Interrupt {
        tokio::select! {
            () = cancelled.requested() => Interrupt::Request,
            () = at(self.over) => Interrupt::Timeout,
            () = at(self.gone) => Interrupt::Gone,
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

impl Session {
    /// Ends the engine with the statement that it runs, says so to the client after what came before, and starts the engine again.
    ///
    /// Not cancel safe.
    ///
    /// # Errors
    ///
    /// When the client has gone, and when the session has lost with the engine what nobody can give back to it.
    pub(super) async fn interrupt(&mut self, why: Interrupt, left: Left) -> Result<(), Ending> {
        let text = match why {
            Interrupt::Request => "canceling statement due to user request",
            Interrupt::Timeout => "canceling statement due to statement timeout",
            Interrupt::Gone => "the client has gone",
        };
        tracing::debug!("the embedded PostgreSQL is started again: {text}");
        // What a transaction leaves is asked for at its end alone, and all else is rolled back with it.
        let pinned = self.end_engine().await.or_else(|| self.may_lock.then(|| state::pin("advisory")));
        if why == Interrupt::Gone {
            return Err(Ending::Client);
        }
        self.tell().await;
        if let Some(pinned) = pinned {
            let mut error = message::error(
                "FATAL",
                "57014",
                text,
                "Connect again. What was committed is there. For sessions that a cancelled statement leaves whole, install PostgreSQL.",
            );
            error.detail = Some(format!(
                "A statement is ended with all of the embedded PostgreSQL, which is started again, and the session {pinned}."
            ));
            return Err(Ending::Fatal(error));
        }
        let mut out = message::told(&message::error("ERROR", "57014", text, ""));
        self.skips = left.awaits_sync;
        if !left.awaits_sync {
            let status = if left.in_transaction { TransactionStatus::Failed } else { TransactionStatus::Idle };
            server::ready_for_query(&mut out, status);
        }
        self.client.send(&out).await?;
        self.resume(left.in_transaction).await
    }

    /// Ends the engine with what the session runs, and returns what the session loses.
    ///
    /// Not cancel safe.
    pub(super) async fn end_engine(&mut self) -> Option<&'static str> {
        let seat = self.seat.as_mut()?;
        let pinned = seat.occupant.take().and_then(|occupant| occupant.pinned);
        seat.backend = None;
        if let Some(engine) = seat.engine.take()
            && let Ok(Err(error)) = spawn_blocking(|| Engine::kill(engine)).await
        {
            tracing::warn!("the embedded PostgreSQL cannot be ended: {error:#}");
        }
        pinned
    }

    /// Gives the session its state in an engine that is started again, and a failed transaction where it has one.
    async fn resume(&mut self, in_transaction: bool) -> Result<(), Ending> {
        // What was prepared since its state was last asked for is in the journal alone.
        self.journal.lost(None);
        let Some(seat) = self.seat.as_mut() else { return Err(self.died()) };
        turn::sit_down(&self.shared, seat, &self.me).await.map_err(|mut error| {
            "FATAL".clone_into(&mut error.severity);
            Ending::Fatal(error)
        })?;
        if !in_transaction {
            return Ok(());
        }
        let Some(backend) = seat.backend.as_mut() else { return Err(self.died()) };
        let failed = match backend.ask("begin").await {
            // No statement begins with such a word.
            Ok(_) => backend.ask("cancelled").await,
            failed => failed,
        };
        match failed {
            Err(Failure::Refused(_)) if backend.status == TransactionStatus::Failed => Ok(()),
            _ => Err(self.died()),
        }
    }

    /// Asks how long statements may run, where the session may have changed that.
    pub(super) async fn refresh_timeout(&mut self) -> Result<(), Ending> {
        let Some(backend) = self.seat.as_mut().and_then(|seat| seat.backend.as_mut()) else { return Ok(()) };
        if !self.may_change_timeout || backend.status == TransactionStatus::Failed {
            return Ok(());
        }
        // What is set for a transaction is over with it.
        self.may_change_timeout = backend.status != TransactionStatus::Idle;
        self.journal.asked();
        match state::statement_timeout(backend).await {
            Ok(timeout) => self.me.timeout = timeout,
            Err(Failure::Refused(error)) => tracing::warn!("statement_timeout cannot be read: {error}"),
            Err(Failure::Gone(_)) => return Err(self.died()),
        }
        Ok(())
    }

    /// Asks for the session's state as soon as a statement may have changed it, since an interrupt leaves no time for that.
    ///
    /// Not cancel safe.
    pub(super) async fn note_state(&mut self, seat: &mut Seat) {
        let Some(occupant) = seat.occupant.as_mut() else { return };
        occupant.unasked = true;
        let was_pinned = occupant.pinned.is_some();
        if !(std::mem::take(&mut self.may_leave_state) || was_pinned) {
            return;
        }
        self.journal.asked();
        self.may_lock = false;
        // An error is a FATAL of the backend's, which the next message meets.
        if matches!(turn::ask(seat).await, Ok(None)) && was_pinned {
            self.shared.freed.notify_waiters();
        }
        let kept = self.me.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.journal.retain(kept.state.parsed.as_ref());
    }
}
