use std::{
    io,
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use pgferry::{
    error::DbError,
    wire::{
        TransactionStatus,
        server::{self, Frontend},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OwnedMutexGuard,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{Backend, Failure},
    frame::Frame,
    message,
    session::{
        Cancelled, Identity,
        batch::{self, Batch, End},
        custom,
        journal::Journal,
        state,
    },
    shared::{Seat, Shared},
    turn,
};

/// The longest message that is taken, in bytes: the engine takes no more than 128 MiB.
pub(crate) const MAX_MESSAGE: usize = 127 << 20;

/// How much is kept until a client awaits an answer, in bytes; a batch that is longer begins to run before.
const MAX_KEPT: usize = 4 << 20;
/// How long the end of a session may take. Beyond that the engine is started again.
const LEAVE: Duration = Duration::from_secs(10);

/// A client's connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) received: BytesMut,
}

impl Client {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, received: BytesMut::new() }
    }

    /// Receives more.
    ///
    /// Cancel safe.
    pub(crate) async fn receive(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Sends something.
    ///
    /// Not cancel safe.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }
}

/// A session that is logged in.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) me: Identity,
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    /// Held from a message to the end of its transaction.
    pub(crate) seat: Option<OwnedMutexGuard<Seat>>,
    /// What its client asks to be cancelled.
    pub(super) cancelled: Cancelled,
    /// What is to be sent to the client, of which a part may have been sent.
    pub(super) down: BytesMut,
    /// Whether what comes up to the next Sync is passed over, as after every error.
    pub(super) skips: bool,
    /// Whether a text has come that takes away what the session began with.
    starts_over: bool,
    /// Whether a text has come that leaves something in the session.
    pub(super) may_leave_state: bool,
    /// Whether a text has come that locks something for the session.
    pub(super) may_lock: bool,
    /// Whether a text of the batch that runs begins a transaction.
    pub(super) may_begin: bool,
    /// Whether a text has come that changes how long statements may run.
    pub(super) may_change_timeout: bool,
}

/// Why a session ends.
pub(crate) enum Ending {
    /// The client has gone, or said that it goes.
    Client,
    /// The backend has gone, or the client cannot be understood; the client is to be told this.
    Fatal(Box<DbError>),
}

impl From<io::Error> for Ending {
    fn from(_: io::Error) -> Self {
        Self::Client
    }
}

impl Session {
    pub(crate) fn new(client: Client, me: Identity, cancelled: Cancelled, shared: Arc<Shared>) -> Self {
        Self {
            client,
            me,
            shared,
            journal: Journal::default(),
            seat: None,
            cancelled,
            down: BytesMut::new(),
            skips: false,
            starts_over: false,
            may_leave_state: false,
            may_lock: false,
            may_begin: false,
            may_change_timeout: false,
        }
    }

    /// Serves the client until the session ends or is to stop, and leaves nothing of it behind.
    pub(crate) async fn run(mut self, stop: &CancellationToken) {
        let Some(ended) = stop.run_until_cancelled(self.serve()).await else { return self.stop().await };
        if let Err(Ending::Fatal(error)) = ended {
            // Who does not hear of it has gone.
            let _ = self.client.send(&message::told(&error)).await;
        }
        self.leave().await;
    }

    /// Ends the session as Postgres does when it shuts down, with what it runs.
    async fn stop(mut self) {
        self.end_engine().await;
        if self.down.is_empty() {
            let error = message::error("FATAL", "57P01", "terminating connection due to administrator command", "");
            // Who does not hear of it has gone.
            let _ = self.client.send(&message::told(&error)).await;
        }
    }

    async fn serve(&mut self) -> Result<(), Ending> {
        loop {
            let batch = self.batch().await?;
            self.cancelled.forget();
            self.may_begin = false;
            if self.seat.is_none() {
                match turn::take(&self.shared, &self.me, &mut self.cancelled).await {
                    Ok(turn) => {
                        self.seat = Some(turn.seat);
                        if turn.is_switch {
                            let kept = self.me.kept.lock().unwrap_or_else(PoisonError::into_inner);
                            self.journal.lost(kept.state.parsed.as_ref());
                        }
                    }
                    Err(error) => {
                        self.refuse(error, batch.end).await?;
                        continue;
                    }
                }
            }
            self.pump(batch).await?;
            self.rest().await?;
        }
    }

    /// Receives up to where the client awaits an answer.
    async fn batch(&mut self) -> Result<Batch, Ending> {
        let mut frames = Vec::new();
        let mut length = 0_usize;
        loop {
            // Whether a simple query behind others runs depends on what becomes of those.
            if length > MAX_KEPT || length > 0 && self.next_is_query() {
                return Ok(Batch { frames, end: End::Flush });
            }
            let Some(frame) = self.take()? else {
                self.client.receive().await?;
                continue;
            };
            match (frame.tag, self.skips) {
                (b'X', _) => return Err(Ending::Client),
                (b'S', true) => {
                    self.skips = false;
                    self.ready().await?;
                }
                // What is left of a COPY that failed.
                (_, true) | (b'c' | b'd' | b'f', false) => {}
                (_, false) => {
                    length = length.saturating_add(frame.bytes.len());
                    let end = End::of(frame.tag);
                    frames.push(frame);
                    if let Some(end) = end {
                        return Ok(Batch { frames, end });
                    }
                }
            }
        }
    }

    /// Takes a message of the client's that has come already.
    pub(crate) fn take(&mut self) -> Result<Option<Frame>, Ending> {
        let frame = Frame::take(&mut self.client.received, MAX_MESSAGE).map_err(|_| {
            Ending::Fatal(message::error(
                "FATAL",
                "54000",
                "a message is longer than the embedded PostgreSQL takes, or none at all",
                "Send less than 127 MiB at once.",
            ))
        })?;
        match frame {
            Some(Frame { tag, .. }) if !b"BCDEFHPQSXcdf".contains(&tag) => Err(unintelligible()),
            frame => Ok(frame),
        }
    }

    /// Returns whether what comes next has a ReadyForQuery of its own, unless it is passed over.
    pub(super) fn next_is_query(&self) -> bool {
        matches!(self.client.received.first(), Some(b'Q' | b'F'))
    }

    /// Notes what a message can do to the session's state.
    pub(crate) fn note(&mut self, frame: &Frame) {
        let text = match frame.tag {
            b'B' => batch::statement(frame).and_then(|name| self.journal.text(&name)),
            _ => batch::text(frame),
        };
        self.journal.sent(frame);
        let Some(text) = text else { return };
        self.may_leave_state |= custom::leaves_state(&text);
        self.may_lock |= custom::locks(&text);
        self.may_begin |= custom::begins(&text);
        self.starts_over |= ["discard", "reset", "authorization"].iter().any(|word| custom::contains(&text, word));
        self.may_change_timeout |= self.starts_over || custom::contains(&text, "timeout");
        if custom::can_set(&text) {
            let mut kept = self.me.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.custom.note(&text);
            if let Ok(Some(Frontend::Bind { params, .. })) =
                server::read(&mut BytesMut::from(&frame.bytes[..]), MAX_MESSAGE)
            {
                for param in params.iter().flatten().filter(|param| param.len() <= 63) {
                    let param = String::from_utf8_lossy(param);
                    self.may_change_timeout |= custom::contains(&param, "timeout");
                    kept.custom.note(&param);
                }
            }
            self.may_leave_state |= kept.custom.are_many();
        }
    }

    /// Answers a batch with an error instead of sending it.
    async fn refuse(&mut self, error: Box<DbError>, end: End) -> Result<(), Ending> {
        if error.severity == "FATAL" {
            return Err(Ending::Fatal(error));
        }
        self.client.send(&message::told(&error)).await?;
        if end == End::Flush {
            self.skips = true;
            return Ok(());
        }
        self.ready().await
    }

    async fn ready(&mut self) -> Result<(), Ending> {
        let mut out = BytesMut::new();
        server::ready_for_query(&mut out, self.status());
        Ok(self.client.send(&out).await?)
    }

    pub(super) fn status(&self) -> TransactionStatus {
        let backend = self.seat.as_ref().and_then(|seat| seat.backend.as_ref());
        backend.map_or(TransactionStatus::Idle, |backend| backend.status)
    }

    /// Lets the next session have its turn, where no transaction is open.
    async fn rest(&mut self) -> Result<(), Ending> {
        self.refresh_timeout().await?;
        if self.status() != TransactionStatus::Idle {
            self.shared.say("has a transaction open");
            return Ok(());
        }
        let Some(mut seat) = self.seat.take() else { return Ok(()) };
        self.shared.say("runs a statement");
        if std::mem::take(&mut self.starts_over)
            && let Some(backend) = seat.backend.as_mut()
        {
            self.journal.asked();
            match state::start_over(backend, &self.me).await {
                Ok(()) => {}
                Err(Failure::Refused(error)) => {
                    tracing::warn!("a session does not get back what it began with: {error}")
                }
                Err(Failure::Gone(_)) => {
                    self.seat = Some(seat);
                    return Err(self.died());
                }
            }
        }
        self.note_state(&mut seat).await;
        Ok(())
    }

    /// Notes that the backend is gone, and says it.
    pub(crate) fn died(&mut self) -> Ending {
        if let Some(seat) = self.seat.as_mut() {
            seat.backend = None;
            seat.occupant = None;
        }
        Ending::Fatal(message::error(
            "FATAL",
            "57P02",
            "the embedded PostgreSQL's backend ended in the middle of this",
            "Connect again: it is started again on the same data. What was committed is there.",
        ))
    }

    /// Rolls back what is open, and frees the backend of the session's state.
    async fn leave(mut self) {
        let mut seat = match self.seat.take() {
            Some(seat) => seat,
            None => Arc::clone(&self.shared.seat).lock_owned().await,
        };
        if seat.occupant.as_ref().is_none_or(|occupant| occupant.session != self.me.number) {
            drop(seat);
            self.shared.freed.notify_waiters();
            return;
        }
        seat.occupant = None;
        let is_tidy = match seat.backend.as_mut() {
            Some(backend) => timeout(LEAVE, tidy(backend)).await.is_ok_and(|tidied| tidied.is_ok()),
            None => true,
        };
        self.seat = Some(seat);
        if !is_tidy {
            self.end_engine().await;
        }
        self.seat = None;
        self.shared.freed.notify_waiters();
    }
}

/// Rolls back what is open, and ends a session's locks now, not when the next session comes.
async fn tidy(backend: &mut Backend) -> Result<(), Failure> {
    if backend.status != TransactionStatus::Idle {
        backend.ask("rollback").await?;
    }
    backend.ask("discard all").await.map(drop)
}

fn unintelligible() -> Ending {
    Ending::Fatal(message::error("FATAL", "08P01", "the client sent a message of a type that does not exist", ""))
}
