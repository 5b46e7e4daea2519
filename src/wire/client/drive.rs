//! What a [`Client`] does with its channel: flights out, messages in.

use std::{collections::VecDeque, future::poll_fn, io, task::Poll};

use bytes::BytesMut;
use postgres_protocol::message::{backend::Message, frontend};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Client, Execution, Parse, Statement,
    channel::Incoming,
    error_fields::{self, is_fatal},
    flight::{self, Flight, Kind, Step},
};
use crate::error::{Error, Outcome, Result};

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Reads whatever was given to an execution and left unread, and notices a connection that was lost while idle, so that
    /// what comes next is known not to have been executed.
    pub(super) async fn settle(&mut self) -> Result<()> {
        self.drain().await.map_err(|error| error.with_outcome(Outcome::NotExecuted))?;
        if self.flights.is_empty() {
            self.peek().await.map_err(|error| error.with_outcome(Outcome::NotExecuted))?;
        }
        Ok(())
    }

    /// Reads up to the answer of the last claimed flight. Cancel safe.
    pub(super) async fn drain(&mut self) -> Result<()> {
        self.check()?;
        while self.answered < self.claimed {
            self.receive().await?;
        }
        Ok(())
    }

    /// Takes what has come while nobody waited, without waiting.
    async fn peek(&mut self) -> Result<()> {
        loop {
            match poll_fn(|cx| Poll::Ready(self.channel.poll_fill(cx))).await {
                // The end may stand behind it.
                Poll::Ready(come) => self.take_unasked(come)?,
                Poll::Pending => return self.take_all(),
            }
        }
    }

    /// Takes what came while no flight was under way.
    pub(super) fn take_unasked(&mut self, come: io::Result<usize>) -> Result<()> {
        self.take_all()?;
        match come {
            Ok(0) => Err(self.lost(None)),
            Ok(_) => Ok(()),
            Err(error) => Err(self.lost(Some(error))),
        }
    }

    fn take_all(&mut self) -> Result<()> {
        while let Some(message) = self.take()? {
            self.handle(message)?;
        }
        Ok(())
    }

    /// Waits for the next step of the oldest unanswered flight. Cancel safe: the only wait is for bytes.
    pub(super) async fn receive(&mut self) -> Result<Step> {
        self.check()?;
        loop {
            while let Some(message) = self.take()? {
                if let Some(step) = self.handle(message)? {
                    return Ok(step);
                }
            }
            match poll_fn(|cx| self.channel.poll_fill(cx)).await {
                Ok(0) => return Err(self.lost(None)),
                Ok(_) => {}
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
    }

    /// Hands the stream what it takes at once.
    pub(super) async fn send_some(&mut self) {
        // Whether it took all is of no interest, and that it failed shows when the answer is read.
        poll_fn(|cx| Poll::Ready(self.channel.poll_send(cx).is_ready())).await;
    }
}

impl<S> Client<S> {
    /// Adds statements as one flight.
    pub(super) fn enqueue(&mut self, statements: &[Statement<'_>]) -> Result<()> {
        let mut parsing = VecDeque::new();
        let mut replaced = Vec::new();
        for statement in statements {
            replaced.push(match statement.parse {
                Parse::Named(name) if is_among(&parsing, name) || self.has_or_will_have(name) => Some(name),
                _ => None,
            });
            match statement.parse {
                Parse::Unnamed => parsing.push_back(Box::default()),
                Parse::Named(name) => parsing.push_back(name.into()),
                Parse::AlreadyNamed(_) => {}
            }
        }
        self.enqueue_with(|out| {
            for (statement, replaced) in statements.iter().zip(replaced) {
                flight::encode(statement, replaced, out)?;
            }
            frontend::sync(out);
            Ok(Kind::Extended)
        })?;
        for name in &parsing {
            self.prepared.remove(name);
        }
        if let Some(flight) = self.flights.back_mut() {
            flight.parsing = parsing;
        }
        Ok(())
    }

    pub(super) fn enqueue_simple_query(&mut self, sql: &str) -> Result<()> {
        self.enqueue_with(|out| flight::encode_simple_query(sql, out))
    }

    pub(super) fn enqueue_describe(&mut self, text: &str) -> Result<()> {
        self.enqueue_with(|out| flight::encode_describe(text, out))?;
        if let Some(flight) = self.flights.back_mut() {
            flight.parsing = VecDeque::from([Box::default()]);
        }
        Ok(())
    }

    /// Adds a flight, or nothing when it cannot be encoded.
    fn enqueue_with(&mut self, encode: impl FnOnce(&mut BytesMut) -> Result<Kind>) -> Result<()> {
        self.check()?;
        let out = self.channel.out();
        let start = out.len();
        out.extend_from_slice(&self.closing);
        match encode(out) {
            Ok(kind) => {
                self.closing.clear();
                self.flights.push_back(Flight::new(kind));
                Ok(())
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    fn has_or_will_have(&self, name: &str) -> bool {
        self.prepared.contains(name) || self.flights.iter().any(|flight| is_among(&flight.parsing, name))
    }

    pub(super) fn last_execution(&mut self) -> Execution<'_, S> {
        self.claimed = self.queued();
        let flight = self.claimed.saturating_sub(1);
        Execution::new(self, flight)
    }

    pub(super) fn queued(&self) -> u64 {
        self.answered + self.flights.len() as u64
    }

    pub(super) fn check(&self) -> Result<()> {
        if !self.broken {
            return Ok(());
        }
        Err(Error::closed("the session was lost before: open another", Outcome::NotExecuted))
    }

    fn take(&mut self) -> Result<Option<Incoming>> {
        self.channel.take().map_err(|error| self.broken_by(error))
    }

    /// Gives each message to where it belongs: the session or the oldest unanswered flight.
    fn handle(&mut self, message: Incoming) -> Result<Option<Step>> {
        let message = match message {
            Incoming::Message(message) => match self.session.absorb(message) {
                Ok(()) => return Ok(None),
                Err(message) => Incoming::Message(message),
            },
            row => row,
        };
        if let Incoming::Message(Message::ErrorResponse(body)) = &message {
            let error = error_fields::read(body.fields());
            // The server closes the connection behind it; whether what ran was committed before is not said.
            if is_fatal(&error) || self.flights.is_empty() {
                return Err(self.broken_by(Error::db(error)));
            }
        }
        let Some(flight) = self.flights.front_mut() else {
            return Err(self.broken_by(flight::unexpected()));
        };
        let step = match flight.step(message, self.channel.out()) {
            Ok(step) => step,
            Err(error) => return Err(self.broken_by(error)),
        };
        match step {
            Some(Step::Parsed(name)) => {
                self.prepared.insert(name);
                return Ok(None);
            }
            Some(Step::Answered(status, _)) => {
                self.session.status = status;
                self.flights.pop_front();
                self.answered += 1;
                if self.flights.is_empty() {
                    self.channel.shrink();
                }
            }
            _ => {}
        }
        Ok(step)
    }

    fn lost(&mut self, cause: Option<io::Error>) -> Error {
        let error = Error::closed("the connection to the server was lost", Outcome::Unknown);
        let cause = self.channel.write_error().or(cause);
        self.broken_by(match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        })
    }

    /// Nothing can be understood or expected any more.
    fn broken_by(&mut self, error: Error) -> Error {
        self.broken = true;
        let harmless = self.flights.iter().all(|flight| matches!(flight.kind, Kind::Ping | Kind::Describe));
        error.with_outcome(if harmless { Outcome::NotExecuted } else { Outcome::Unknown })
    }
}

fn is_among(names: &VecDeque<Box<str>>, name: &str) -> bool {
    names.iter().any(|known| &**known == name)
}
