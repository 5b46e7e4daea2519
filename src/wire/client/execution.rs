use super::{
    Client, Event,
    flight::{self, Step},
};
use crate::error::{DbError, Result};
use tokio::io::{AsyncRead, AsyncWrite};

/// The results of one flight while they arrive.
///
/// Dropping it leaves the rest to be read by the connection's next use; it does not stop the server.
#[derive(Debug)]
pub struct Execution<'a, S> {
    client: &'a mut Client<S>,
    flight: u64,
}

impl<'a, S> Execution<'a, S> {
    pub(super) fn new(client: &'a mut Client<S>, flight: u64) -> Self {
        Self { client, flight }
    }
}

impl<S> Execution<'_, S> {
    /// Takes the notices that came so far, as [`Client::take_notices`] does between two statements.
    pub fn take_notices(&mut self) -> Vec<DbError> {
        self.client.take_notices()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Execution<'_, S> {
    /// Waits for the next event, `None` once the server is ready for the next flight.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// - The server's error, once, and after all else of the flight was read: the client is ready for the next one and knows
    ///   its transaction status.
    /// - [`Error::is_refused`](crate::Error::is_refused) when the statement is a COPY, which the server was told; likewise once.
    /// - A lost connection or a broken protocol, after which the client is of no use; whether the statement ran is unknown.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            match self.step().await? {
                Some(Step::Event(event)) => return Ok(Some(event)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// Waits for the next event as [`next`](Self::next) does, but refuses a COPY TO STDOUT as soon as the server begins with it,
    /// however long it takes: for who then cancels and closes the session.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next). Of a COPY TO STDOUT the outcome is unknown, and all of it is left to be read.
    pub async fn next_unless_copied(&mut self) -> Result<Option<Event>> {
        loop {
            match self.step().await? {
                Some(Step::Event(event)) => return Ok(Some(event)),
                Some(Step::CopyOut) => return Err(flight::copy_out()),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// Waits until the flight is over and gives the tag of its last statement, empty where there was none.
    ///
    /// Cancel safe, in that the rest is read by the connection's next use.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next).
    pub async fn finish(mut self) -> Result<String> {
        let mut last = String::new();
        while let Some(event) = self.next().await? {
            if let Event::Complete(tag) = event {
                last = tag;
            }
        }
        Ok(last)
    }

    /// Waits for the next step of this flight, `None` once it is over.
    async fn step(&mut self) -> Result<Option<Step>> {
        while self.client.answered <= self.flight {
            let ours = self.client.answered == self.flight;
            match self.client.receive().await? {
                Step::Answered(_, Some(error)) if ours => return Err(error),
                step if ours => return Ok(Some(step)),
                _ => {}
            }
        }
        Ok(None)
    }
}
