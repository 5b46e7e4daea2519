//! Flights that are sent while the results of earlier ones are still awaited.

use std::{future::poll_fn, slice};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Client, Event, Statement, flight::Step};
use crate::error::{Outcome, Result};

/// What comes next of the flights that were pushed.
#[derive(Debug)]
pub enum Answer {
    /// An event of the oldest one.
    Event(Event),
    /// The oldest one is over, with the server's error or without.
    End(Result<()>),
}

impl<S> Client<S> {
    /// Adds a statement's flight behind those that are under way; [`next_answer`](Self::next_answer) sends it and gives its
    /// results.
    ///
    /// Where [`queue`](Self::queue) first reads what an [`Execution`](super::Execution) left, this leaves all reading to
    /// `next_answer`: the two are not to be mixed. COPY FROM STDIN must not have anything behind it, as there.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute); nothing was added.
    pub fn push(&mut self, statement: &Statement<'_>) -> Result<()> {
        self.enqueue(slice::from_ref(statement))
    }

    /// Adds a simple query's flight as [`push`](Self::push) does a statement's.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push).
    pub fn push_simple_query(&mut self, sql: &str) -> Result<()> {
        self.enqueue_simple_query(sql)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Sends what was pushed, and waits for what comes next of the oldest flight. There must be one.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// A lost connection or a broken protocol, after which the client is of no use; the server's own errors are in
    /// [`Answer::End`].
    pub async fn next_answer(&mut self) -> Result<Answer> {
        loop {
            match self.receive().await? {
                Step::Event(event) => return Ok(Answer::Event(event)),
                Step::Answered(_, error) => {
                    self.claimed = self.answered;
                    return Ok(Answer::End(error.map_or(Ok(()), Err)));
                }
                Step::Parsed(_) | Step::CopyOut => {}
            }
        }
    }

    /// Waits until the server says something by itself, as a notification, while no flight is under way.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// The server ended the session, or the connection was lost; nothing was being executed.
    pub async fn hear(&mut self) -> Result<()> {
        self.check()?;
        let come = poll_fn(|cx| self.channel.poll_fill(cx)).await;
        self.take_unasked(come).map_err(|error| error.with_outcome(Outcome::NotExecuted))
    }
}
