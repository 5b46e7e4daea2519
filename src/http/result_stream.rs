use std::{fmt, mem, sync::Arc};

use tokio::sync::mpsc::Receiver;

use super::{Event, QueryResult, RawRow, Row, exchange::Part, wire::ResponseDecoder};
use crate::{
    error::{Error, Outcome, Result},
    runtime::Runtime,
};

/// The results of one request, in order, while they arrive.
///
/// Memory is bounded: the server is read only as fast as events are taken. Dropping the stream before its end cancels the
/// statement on the server.
pub struct ResultStream {
    parts: Receiver<Result<Part>>,
    decoder: ResponseDecoder,
    request_id: Option<Arc<str>>,
    state: State,
    /// Kept, so that the exchange goes on when the last client is dropped.
    _runtime: Runtime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Failed,
}

impl ResultStream {
    /// Waits for the response's head.
    pub(super) async fn open(mut parts: Receiver<Result<Part>>, runtime: Runtime) -> Result<Self> {
        match parts.recv().await {
            Some(Ok(Part::Head(request_id))) => {
                Ok(Self { parts, decoder: ResponseDecoder::new(), request_id, state: State::Open, _runtime: runtime })
            }
            Some(Err(error)) => Err(error),
            Some(Ok(Part::Chunk(_) | Part::End)) | None => Err(task_died()),
        }
    }

    /// Returns the service's own name for the request, to be quoted to the provider.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the next event, or `None` once every result has ended well.
    ///
    /// Cancel safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// * The connection was lost, a deadline passed or the response grew beyond its limit: the outcome is unknown.
    /// * The response is malformed.
    ///
    /// After an error the stream gives no more events, and an error each time it is asked.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        match self.state {
            State::Ended => return Ok(None),
            State::Failed => {
                return Err(Error::closed("an earlier part of the response failed", Outcome::Unknown)
                    .with_request_id(self.request_id()));
            }
            State::Open => {}
        }
        let next = self.next_part().await;
        match &next {
            Ok(Some(_)) => {}
            Ok(None) => self.state = State::Ended,
            Err(_) => self.state = State::Failed,
        }
        next.map_err(|error| error.with_request_id(self.request_id.as_deref()))
    }

    /// Passes over the next result, which nobody asked to see.
    pub(super) async fn skip_result(&mut self) -> Result<()> {
        while let Some(event) = self.next().await? {
            if matches!(event, Event::Complete { .. }) {
                return Ok(());
            }
        }
        Err(Error::protocol("the server gave fewer results than it was sent statements", Outcome::Unknown))
    }

    /// Takes back a row that was read, so that the next needs no memory of its own.
    pub(crate) fn recycle(&mut self, row: RawRow) {
        self.decoder.recycle(row);
    }

    async fn next_part(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.decoder.next()? {
                return Ok(Some(event));
            }
            match self.parts.recv().await {
                Some(Ok(Part::Chunk(chunk))) => self.decoder.push(chunk),
                Some(Ok(Part::End)) => {
                    self.decoder.finish()?;
                    return Ok(None);
                }
                Some(Err(error)) => return Err(error),
                Some(Ok(Part::Head(_))) | None => return Err(task_died()),
            }
        }
    }

    /// Reads everything that is left.
    ///
    /// Not cancel safe: dropping the future cancels the statement and loses what was read.
    ///
    /// # Errors
    ///
    /// As of [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<QueryResult>> {
        let mut results = Vec::new();
        let mut columns = Arc::default();
        let mut rows = Vec::new();
        while let Some(event) = self.next().await? {
            match event {
                Event::Fields(fields) => columns = fields,
                Event::Row(row) => rows.push(Row::new(Arc::clone(&columns), row)),
                Event::Complete { command, row_count } => results.push(QueryResult {
                    columns: mem::take(&mut columns),
                    rows: mem::take(&mut rows),
                    command,
                    row_count,
                    request_id: self.request_id.clone(),
                }),
            }
        }
        Ok(results)
    }
}

impl fmt::Debug for ResultStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What has arrived may be anybody's secret.
        let Self { parts: _, decoder: _, request_id, state, _runtime } = self;
        f.debug_struct("ResultStream").field("request_id", request_id).field("state", state).finish()
    }
}

fn task_died() -> Error {
    Error::closed("the task that reads the response ended before it", Outcome::Unknown)
}
