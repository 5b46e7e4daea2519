use std::{
    future::pending,
    io, mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::{BufMut, BytesMut};
use pgferry::{DbError, SqlState, wire::server};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    select,
    sync::Notify,
    time::sleep,
};

use super::{
    cold_start::Running,
    http::IN_FLIGHT,
    injector::{End, Injector, Strike},
    kind::{Event, Manner, Stage},
    messages::{self, MAX_HELD, MAX_MESSAGE, kind},
    pace::Pace,
    raise,
    sqlstate::{self, Moment},
};

/// A session's messages on their way, with what goes wrong.
pub(super) struct Traffic<'a, W> {
    faults: &'a Injector,
    /// Whole messages are written under it.
    to_client: tokio::sync::Mutex<W>,
    pace: Option<Pace>,
    turns: Mutex<Turns>,
    /// Told when an answer begins that the client is not to have.
    answering: Notify,
}

/// Why nothing is carried any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    ClientLeft,
    Ended,
    Lost(Manner),
}

/// Where a session is in its dialogue. A turn ends with a ReadyForQuery.
#[derive(Debug, Default)]
struct Turns {
    asked: u64,
    answered: u64,
    /// Whether the client has heard since it last spoke.
    heard: bool,
    /// The turn in which an error was raised instead, by messages whose answers are for nobody.
    raised: Option<u64>,
    /// The turn from which on the client hears nothing.
    silent: Option<u64>,
    /// How the client is lost at the end of that turn.
    lose: Option<Manner>,
    running: Option<Running>,
}

impl<'a, W: AsyncWrite + Unpin> Traffic<'a, W> {
    pub(super) fn new(
        faults: &'a Injector,
        to_client: W,
        pace: Option<Pace>,
        relays_log_in: bool,
        running: Option<Running>,
    ) -> Self {
        // A log-in that is relayed ends with the first ReadyForQuery.
        let turns = Turns { asked: u64::from(relays_log_in), running, ..Turns::default() };
        let to_client = tokio::sync::Mutex::new(to_client);
        Self { faults, to_client, pace, turns: Mutex::new(turns), answering: Notify::new() }
    }

    /// Carries what the client says, of which `received` has come already.
    pub(super) async fn carry_up(
        &self,
        client: &mut (impl AsyncRead + Unpin),
        upstream: &mut (impl AsyncWrite + Unpin),
        mut received: BytesMut,
    ) -> io::Result<Done> {
        // What came before the greeting is of the same flight as the log-in.
        self.turns().heard = received.is_empty();
        let mut held = BytesMut::new();
        let mut executes = false;
        loop {
            while let Some(message) = messages::next(&mut received, MAX_MESSAGE)? {
                self.begin_flight().await;
                let kind = kind(&message);
                held.extend_from_slice(&message);
                match kind {
                    b'P' | b'B' | b'D' | b'C' if held.len() <= MAX_HELD => {}
                    b'E' if held.len() <= MAX_HELD => executes = true,
                    b'Q' | b'F' | b'S' | b'H' => {
                        let strike = if mem::take(&mut executes) || matches!(kind, b'Q' | b'F') {
                            self.faults.strike(Event::Statement)
                        } else {
                            Strike::default()
                        };
                        if let Some(done) = self.ask(kind, &mut held, &message, strike, upstream).await? {
                            return Ok(done);
                        }
                    }
                    _ => send(upstream, &mut held).await?,
                }
            }
            if client.read_buf(&mut received).await? == 0 {
                send(upstream, &mut held).await?;
                return Ok(Done::ClientLeft);
            }
        }
    }

    /// Sends what a client wants answered, or does what goes wrong with it.
    async fn ask(
        &self,
        kind: u8,
        held: &mut BytesMut,
        last: &[u8],
        strike: Strike,
        upstream: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<Option<Done>> {
        let turn = self.turns().asked;
        let mut during = None;
        match strike.end {
            Some(End::Failed(code)) if sqlstate::moment(&code) == Moment::End => {
                self.tell(&sqlstate::error(&code)).await?;
                return Ok(Some(Done::Ended));
            }
            Some(End::Failed(code)) => self.raise(&code, kind, held, last, turn),
            Some(End::Lost(loss)) => match loss.stage {
                Stage::Connect | Stage::Before => return Ok(Some(Done::Lost(loss.manner))),
                Stage::During => {
                    self.turns().silent = Some(turn);
                    during = Some(loss.manner);
                }
                Stage::After => {
                    if kind == b'H' {
                        // The client would have sent it after the answer.
                        held.put_slice(b"S\0\0\0\x04");
                    }
                    let mut turns = self.turns();
                    turns.silent = Some(turn);
                    turns.lose = Some(loss.manner);
                }
            },
            Some(End::Refused(_)) | None => {}
        }
        {
            let mut turns = self.turns();
            if kind != b'H' {
                turns.asked = turns.asked.wrapping_add(1);
            }
            if let Some(cold_start) = self.faults.cold_start.as_ref().filter(|_| turns.running.is_none()) {
                turns.running = Some(cold_start.run());
            }
        }
        send(upstream, held).await?;
        let Some(manner) = during else { return Ok(None) };
        select! {
            () = self.answering.notified() => {}
            () = sleep(IN_FLIGHT) => {}
        }
        Ok(Some(Done::Lost(manner)))
    }

    fn raise(&self, code: &SqlState, kind: u8, held: &mut BytesMut, last: &[u8], turn: u64) {
        held.clear();
        if matches!(kind, b'Q' | b'F') {
            return raise::query(held, code);
        }
        raise::extended(held, code);
        held.extend_from_slice(last);
        self.turns().raised = Some(turn);
    }

    /// Carries what Postgres says.
    pub(super) async fn carry_down(&self, upstream: &mut (impl AsyncRead + Unpin)) -> io::Result<Done> {
        let mut received = BytesMut::new();
        let mut out = BytesMut::new();
        while upstream.read_buf(&mut received).await? > 0 {
            let mut lost = None;
            while let Some(message) = messages::next(&mut received, usize::MAX)? {
                let mut turns = self.turns();
                let turn = turns.answered;
                if kind(&message) == b'Z' {
                    turns.answered = turn.wrapping_add(1);
                }
                if turns.silent.is_some_and(|silent| turn >= silent) {
                    self.answering.notify_one();
                    lost = turns.lose.filter(|_| turns.answered > turn);
                } else if turns.raised != Some(turn) || !matches!(kind(&message), b'1' | b'2' | b'3') {
                    turns.heard = true;
                    out.extend_from_slice(&message);
                }
            }
            self.write(&out).await?;
            out.clear();
            if let Some(manner) = lost {
                return Ok(Done::Lost(manner));
            }
            let mut turns = self.turns();
            if turns.answered >= turns.asked {
                turns.running = None;
            }
        }
        Ok(Done::Ended)
    }

    /// Ends the session when the compute falls asleep, as its server would.
    pub(super) async fn fall_asleep(&self) -> io::Result<Done> {
        match &self.faults.cold_start {
            Some(cold_start) => cold_start.asleep().await,
            None => pending().await,
        }
        self.tell(&sqlstate::error(&SqlState::from_code("57P01"))).await?;
        Ok(Done::Ended)
    }

    /// Waits where a client speaks again that has heard.
    async fn begin_flight(&self) {
        if mem::take(&mut self.turns().heard) {
            self.faults.strike(Event::Flight).delay().await;
        }
    }

    async fn tell(&self, error: &DbError) -> io::Result<()> {
        let mut out = BytesMut::new();
        server::error_response(&mut out, error);
        self.write(&out).await
    }

    async fn write(&self, out: &[u8]) -> io::Result<()> {
        let mut client = self.to_client.lock().await;
        let Some(pace) = self.pace else {
            client.write_all(out).await?;
            return client.flush().await;
        };
        for piece in out.chunks(pace.step()) {
            client.write_all(piece).await?;
            client.flush().await?;
            sleep(pace.pause(piece.len())).await;
        }
        Ok(())
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(upstream: &mut (impl AsyncWrite + Unpin), held: &mut BytesMut) -> io::Result<()> {
    upstream.write_all(held).await?;
    held.clear();
    upstream.flush().await
}
