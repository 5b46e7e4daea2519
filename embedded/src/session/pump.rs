use std::io;

use bytes::{Buf, BytesMut};
use pgferry::wire::TransactionStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::run::{Ending, Session};
use crate::{
    backend,
    frame::Frame,
    message,
    session::{
        batch::{self, Batch, End},
        interrupt::{Interrupt, Left, Limits},
        pending::Pending,
    },
};

/// How much may wait for a client that does not read, in bytes.
const AHEAD: usize = 1 << 20;

/// What of the client's messages belongs to the batch that runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passing {
    /// None: an answer is awaited.
    Nothing,
    /// All up to a Sync, since the batch had none.
    ToSync,
    /// The data of a COPY, and all up to a Sync behind them where it was no simple query.
    Copy,
}

impl Passing {
    /// Returns what belongs to the batch after a message.
    fn after(self, tag: u8, end: End) -> Self {
        match (self, tag) {
            (Self::Copy, b'c' | b'f') if end == End::Query => Self::Nothing,
            (Self::Copy, b'c' | b'f') => Self::ToSync,
            (Self::ToSync, b'S') => Self::Nothing,
            (passing, _) => passing,
        }
    }
}

impl Session {
    /// Sends a batch, and passes on what comes up to its ReadyForQuery.
    ///
    /// Not cancel safe.
    ///
    /// # Errors
    ///
    /// When the backend ends. When the client does, after the backend has come to the ReadyForQuery, or has been ended instead.
    pub(crate) async fn pump(&mut self, batch: Batch) -> Result<(), Ending> {
        let Batch { frames, mut end } = batch;
        let mut up = BytesMut::new();
        let mut pending = Pending::default();
        for frame in frames {
            self.forward(&frame, &mut pending, &mut up);
        }
        // What is too long to be kept ends without one.
        if end == End::Flush {
            up.extend_from_slice(&message::flush());
        }
        let mut is_held = false;
        let mut passing = if end == End::Flush { Passing::ToSync } else { Passing::Nothing };
        let mut is_ready = false;
        let mut has_gone = false;
        let mut limits = Limits::new(self.me.timeout);
        let was_open = self.status() != TransactionStatus::Idle;
        loop {
            while passing != Passing::Nothing && !has_gone && up.len() < AHEAD {
                let is_query = passing == Passing::ToSync && self.next_is_query();
                if is_query && pending.goes_on().is_none() {
                    if !std::mem::replace(&mut is_held, true) {
                        up.extend_from_slice(&message::flush());
                    }
                    break;
                }
                is_held = false;
                let frame = match self.take() {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break,
                    Err(ending) => {
                        // The session ends, and must not wait for what it runs.
                        self.end_engine().await;
                        return Err(ending);
                    }
                };
                if frame.tag == b'X' {
                    has_gone = true;
                    break;
                }
                self.forward(&frame, &mut pending, &mut up);
                if is_query && pending.goes_on() == Some(true) {
                    end = End::Query;
                    passing = Passing::Nothing;
                } else {
                    passing = passing.after(frame.tag, end);
                }
            }
            if has_gone && passing != Passing::Nothing {
                give_up(passing, end, &mut up);
                passing = Passing::Nothing;
            }
            if has_gone {
                self.down.clear();
                limits.leave();
            }
            if is_ready && self.down.is_empty() {
                return if has_gone { Err(Ending::Client) } else { Ok(()) };
            }
            let has_room = passing != Passing::Nothing && !is_held && up.len() < AHEAD;
            let Some(backend) = self.seat.as_mut().and_then(|seat| seat.backend.as_mut()) else {
                return Err(self.died());
            };
            let (mut from_backend, mut to_backend) = backend.stream.split();
            let (mut from_client, mut to_client) = self.client.stream.split();
            // Each of these can be dropped at any moment without loss.
            let event = tokio::select! {
                written = to_backend.write(&up), if !up.is_empty() => Event::Sent(written),
                written = to_client.write(&self.down), if !self.down.is_empty() => Event::Told(written),
                read = from_backend.read_buf(&mut backend.received), if !is_ready && self.down.len() < AHEAD => Event::Came(read),
                read = from_client.read_buf(&mut self.client.received),
                    if !has_gone && (has_room || self.client.received.len() < AHEAD) => Event::Said(read),
                why = limits.come(&mut self.cancelled), if !is_ready => Event::Interrupted(why),
            };
            match event {
                Event::Sent(Ok(written)) => up.advance(written.min(up.len())),
                Event::Told(Ok(written)) => self.down.advance(written.min(self.down.len())),
                Event::Said(Ok(0) | Err(_)) | Event::Told(Err(_)) => has_gone = true,
                Event::Said(Ok(_)) => {}
                Event::Interrupted(why) => {
                    let awaits_sync = passing == Passing::ToSync || passing == Passing::Copy && end != End::Query;
                    // The engine says nothing of a BEGIN before the batch that it is in ends. A client finds a failed transaction
                    // too many here rather than none.
                    let in_transaction = was_open || self.may_begin;
                    return self.interrupt(why, Left { in_transaction, awaits_sync }).await;
                }
                Event::Came(Ok(0) | Err(_)) | Event::Sent(Err(_)) => {
                    self.tell().await;
                    return Err(self.died());
                }
                Event::Came(Ok(_)) => {
                    while let Some(frame) = self.backend_frame()? {
                        pending.answered(frame.tag);
                        if self.journal.answered(frame.tag) {
                            self.down.extend_from_slice(&frame.bytes);
                        }
                        match frame.tag {
                            b'G' => passing = Passing::Copy,
                            b'C' => limits.begin(),
                            b'Z' => {
                                is_ready = true;
                                passing = Passing::Nothing;
                                self.set_status(backend::status(&frame));
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// Adds a message of the client's to what is sent, after the statement that it uses, where another session's turn has taken that away.
    fn forward(&mut self, frame: &Frame, pending: &mut Pending, up: &mut BytesMut) {
        if let Some(parse) = batch::statement(frame).and_then(|name| self.journal.again(name)) {
            pending.sent(parse.tag);
            up.extend_from_slice(&parse.bytes);
        }
        self.note(frame);
        pending.sent(frame.tag);
        up.extend_from_slice(&frame.bytes);
    }

    fn backend_frame(&mut self) -> Result<Option<Frame>, Ending> {
        let Some(backend) = self.seat.as_mut().and_then(|seat| seat.backend.as_mut()) else { return Err(self.died()) };
        backend.take().map_err(|_| self.died())
    }

    fn set_status(&mut self, status: TransactionStatus) {
        if let Some(backend) = self.seat.as_mut().and_then(|seat| seat.backend.as_mut()) {
            backend.status = status;
        }
    }

    /// Tells the client all that the backend has said.
    pub(super) async fn tell(&mut self) {
        let down = std::mem::take(&mut self.down);
        // Who does not hear of it has gone.
        let _ = self.client.send(&down).await;
    }
}

/// One of the connections has moved on.
enum Event {
    Sent(io::Result<usize>),
    Told(io::Result<usize>),
    Came(io::Result<usize>),
    Said(io::Result<usize>),
    Interrupted(Interrupt),
}

/// Ends what a client that has gone leaves unfinished.
fn give_up(passing: Passing, end: End, up: &mut BytesMut) {
    if passing == Passing::Copy {
        up.extend_from_slice(&message::frame(b'f', b"the client has gone"));
    }
    if end != End::Query {
        up.extend_from_slice(&message::sync());
    }
}
