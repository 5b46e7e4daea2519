//! A client over a WebSocket: after the log-in, which pgferry does, bytes pass both ways unchanged.

use std::{
    io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    time::{self, Instant},
};

use super::{Client, Ended, How};
use crate::{
    bridge::{cancels::Registration, frames::Frames, handshake::fatal, shared::Shared},
    config::Config,
    error::{Error, Outcome},
    execute::{self, Opening, WireClient},
    wire::{BackendKey, server},
};

/// How much is read at once: large results would otherwise be passed on in tiny pieces.
const READ: usize = 64 * 1024;

/// How long the server is given to hear that a statement is no longer wanted.
const GOODBYE: Duration = Duration::from_secs(2);

/// Serves a client over a WebSocket of its own, until it goes.
///
/// A client that was welcomed already may have consumed messages only as a whole, and none that the session must know of.
pub(in crate::bridge) async fn serve<S>(
    client: Client<S>,
    opening: &Opening,
    shared: &Shared,
    registration: &Registration<'_>,
    how: How,
) -> io::Result<Ended<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let remote = match execute::open(shared.config(), opening).await {
        Ok(remote) => remote,
        Err(error) if how.is_welcomed => return Ok(Ended::Unopened(client, error)),
        Err(error) => {
            let Client { mut local, .. } = client;
            return local.send_fatal(&error).await.map(|()| Ended::Gone);
        }
    };
    let Client { mut local, .. } = client;
    let key = remote.backend_key();
    registration.set_session(key);
    if !how.is_welcomed {
        local.send(&welcome(&remote, registration.key())).await?;
    }
    let (mut remote, received) = remote.into_parts();

    let flight = Flight::new(shared.config().get_request_timeout());
    let (mut local_read, mut local_write) = tokio::io::split(local.stream);
    let (mut remote_read, mut remote_write) = tokio::io::split(&mut remote);
    let mut down = Down::default();
    let end = tokio::select! {
        end = up(&mut local_read, local.read, &mut remote_write, &flight) => end,
        end = down.run(&mut remote_read, received, &mut local_write, &flight) => end,
        end = flight.late() => end,
    };
    tracing::debug!(?end, "a bridged connection ended");

    let running = flight.is_running();
    let mut local_stream = local_read.unsplit(local_write);
    if let Some(error) = end.error(running) {
        // Between two messages the client can be told why; within one, only the closed socket speaks.
        if down.can_speak() {
            let mut out = BytesMut::new();
            fatal(&mut out, error.to_db_error());
            // A client that is gone as well needs no telling.
            let _ = local_stream.write_all(&out).await;
            let _ = local_stream.shutdown().await;
        }
    }
    drop(local_stream);
    if running && !matches!(end, End::Remote(_)) {
        abandon(shared.config(), key).await;
    }
    // A peer that does not answer the goodbye is left; the stream bounds its own closing handshake.
    let _ = time::timeout(GOODBYE, remote.shutdown()).await;
    registration.set_session(None);
    Ok(Ended::Gone)
}

/// Why a relayed connection ended.
#[derive(Debug)]
enum End {
    /// The client said goodbye or went away.
    Local,
    /// The WebSocket was closed or broke.
    Remote(Option<io::Error>),
    /// A statement took longer than it may.
    Late(Duration),
}

impl End {
    /// What the client is to be told.
    fn error(&self, running: bool) -> Option<Error> {
        let outcome = if running { Outcome::Unknown } else { Outcome::NotExecuted };
        match self {
            Self::Local => None,
            Self::Remote(cause) => {
                let error = Error::closed("the WebSocket to the server was lost", outcome);
                Some(match cause {
                    Some(cause) => error.with_source(cause.to_string()),
                    None => error,
                })
            }
            Self::Late(limit) => Some(Error::timeout("answer", *limit, Outcome::Unknown)),
        }
    }
}

/// The messages that end a log-in, as the server sent them to pgferry, but with a key of the bridge's own.
fn welcome(remote: &WireClient, key: BackendKey) -> BytesMut {
    let mut out = BytesMut::new();
    server::authentication_ok(&mut out);
    for (name, value) in remote.parameters() {
        server::parameter_status(&mut out, name, value);
    }
    server::backend_key_data(&mut out, key);
    server::ready_for_query(&mut out, remote.transaction_status());
    out
}

/// From the client to the server.
async fn up<R, W>(local: &mut R, mut buffer: BytesMut, remote: &mut W, flight: &Flight) -> End
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut frames = Frames::default();
    loop {
        let mut goodbye = false;
        let passed = frames.pass(&buffer, |frame| match frame.tag {
            b'Q' | b'S' | b'F' => flight.starts(),
            b'X' => goodbye = true,
            _ => {}
        });
        let Ok(passed) = passed else { return End::Local };
        if passed > 0 {
            let pieces = buffer.split_to(passed);
            if let Err(error) = remote.write_all(&pieces).await {
                return End::Remote(Some(error));
            }
            if let Err(error) = remote.flush().await {
                return End::Remote(Some(error));
            }
        }
        if goodbye {
            return End::Local;
        }
        buffer.reserve(READ);
        if !matches!(local.read_buf(&mut buffer).await, Ok(count) if count > 0) {
            return End::Local;
        }
    }
}

/// From the server to the client.
#[derive(Debug, Default)]
struct Down {
    frames: Frames,
    writing: bool,
    fatal: bool,
}

impl Down {
    async fn run<R, W>(&mut self, remote: &mut R, mut buffer: BytesMut, local: &mut W, flight: &Flight) -> End
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            let fatal = &mut self.fatal;
            let passed = self.frames.pass(&buffer, |frame| match frame.tag {
                b'Z' => flight.ends(),
                b'E' => *fatal |= is_fatal(frame.body),
                _ => {}
            });
            let passed = match passed {
                Ok(passed) => passed,
                Err(error) => return End::Remote(Some(error)),
            };
            if passed > 0 {
                self.writing = true;
                flight.waits_for_client(true);
                let pieces = buffer.split_to(passed);
                if local.write_all(&pieces).await.is_err() || local.flush().await.is_err() {
                    return End::Local;
                }
                self.writing = false;
                flight.waits_for_client(false);
            }
            buffer.reserve(READ);
            match remote.read_buf(&mut buffer).await {
                Ok(0) => return End::Remote(None),
                Ok(_) => {}
                Err(error) => return End::Remote(Some(error)),
            }
        }
    }

    /// Whether a message of the bridge's own would be understood, and has not been made needless by the server's.
    fn can_speak(&self) -> bool {
        !self.writing && !self.fatal && self.frames.at_boundary()
    }
}

/// Whether an `ErrorResponse` is one after which the server closes the connection. The severity comes first, and in the field
/// V it is never translated.
fn is_fatal(body: &[u8]) -> bool {
    body.split(|byte| *byte == 0).any(|field| matches!(field, b"VFATAL" | b"VPANIC" | b"SFATAL" | b"SPANIC"))
}

/// The statements that were sent and not yet answered, and until when the first of them may take.
#[derive(Debug)]
struct Flight {
    limit: Option<Duration>,
    running: Mutex<usize>,
    deadline: watch::Sender<Option<Instant>>,
    /// The client does not read, which is none of the server's fault.
    waits_for_client: AtomicBool,
}

impl Flight {
    fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            running: Mutex::new(0),
            deadline: watch::Sender::new(None),
            waits_for_client: AtomicBool::new(false),
        }
    }

    fn starts(&self) {
        let mut running = self.lock();
        if *running == 0 {
            self.restart();
        }
        *running += 1;
    }

    fn ends(&self) {
        let mut running = self.lock();
        *running = running.saturating_sub(1);
        if *running == 0 {
            self.deadline.send_replace(None);
        } else {
            self.restart();
        }
    }

    fn is_running(&self) -> bool {
        *self.lock() > 0
    }

    fn waits_for_client(&self, waits: bool) {
        self.waits_for_client.store(waits, Ordering::Relaxed);
    }

    /// Waits until a statement takes longer than it may, for any reason but a client that does not read its rows.
    async fn late(&self) -> End {
        let Some(limit) = self.limit else { return std::future::pending().await };
        let mut deadline = self.deadline.subscribe();
        loop {
            let current = *deadline.borrow_and_update();
            tokio::select! {
                // The sender is in `self`, so this cannot fail.
                _ = deadline.changed() => {}
                () = sleep_until(current) => {
                    if !self.waits_for_client.load(Ordering::Relaxed) {
                        return End::Late(limit);
                    }
                    self.restart();
                }
            }
        }
    }

    fn restart(&self) {
        self.deadline.send_replace(self.limit.and_then(|limit| Instant::now().checked_add(limit)));
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        // A count has no state between two others.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Asks the server to stop what nobody waits for any more.
async fn abandon(config: &Config, key: Option<BackendKey>) {
    if let Some(key) = key {
        match time::timeout(GOODBYE, execute::cancel(config, key)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an abandoned statement could not be cancelled"),
            Err(_) => tracing::debug!("an abandoned statement could not be cancelled in time"),
        }
    }
}
