use std::sync::Arc;

use diesel::QueryResult;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use pgferry::{
    Error,
    execute::{Answers, Event},
    wire::Column,
};

use super::{
    error,
    notes::{Note, Notes},
};
use crate::{Row, columns::Columns, statement::Parsing};

/// What a query gives, and where its end is noted.
pub(super) struct Results {
    pub(super) answers: Answers,
    pub(super) notes: Arc<Notes>,
    pub(super) parsing: Parsing,
}

impl Results {
    /// Waits until the rows begin, and gives them as they come.
    pub(super) async fn rows(mut self) -> QueryResult<BoxStream<'static, QueryResult<Row>>> {
        match self.next().await? {
            Some(Event::Columns(columns)) => Ok(self.stream(columns)),
            Some(first) => {
                self.finish(first).await?;
                Ok(stream::empty().boxed())
            }
            None => Ok(stream::empty().boxed()),
        }
    }

    /// Waits for the end, and gives how many rows there were or were touched.
    pub(super) async fn count(mut self) -> QueryResult<usize> {
        loop {
            match self.next().await? {
                Some(Event::Columns(_) | Event::Row(_)) => {}
                Some(last) => return self.finish(last).await,
                None => return Ok(0),
            }
        }
    }

    fn stream(self, columns: Arc<[Column]>) -> BoxStream<'static, QueryResult<Row>> {
        let columns = Arc::new(Columns::new(columns));
        let rows = stream::unfold(Some(self), move |results| {
            let columns = Arc::clone(&columns);
            async move {
                let mut results = results?;
                loop {
                    match results.next().await {
                        Ok(Some(Event::Row(row))) => return Some((Ok(Row::new(columns, row)), Some(results))),
                        Ok(Some(_)) => {}
                        Ok(None) => return None,
                        Err(error) => return Some((Err(error), None)),
                    }
                }
            }
        });
        rows.boxed()
    }

    /// Reads what stands behind a statement's last event, where an error may still be.
    async fn finish(&mut self, last: Event) -> QueryResult<usize> {
        while self.next().await?.is_some() {}
        // More rows than a usize counts do not fit this machine's memory either.
        Ok(usize::try_from(last.affected()).unwrap_or(usize::MAX))
    }

    async fn next(&mut self) -> QueryResult<Option<Event>> {
        let result = self.answers.next().await;
        if !matches!(result, Ok(Some(_))) {
            self.notes.add(Note::of(&self.answers, result.is_err()));
        }
        if !matches!(result, Ok(Some(Event::Row(_)))) {
            self.parsing.note(result.as_ref().err());
        }
        result.map_err(|error| failure(error, &self.answers))
    }
}

/// A statement's error, once it has ended.
pub(super) fn failure(error: Error, answers: &Answers) -> diesel::result::Error {
    error::query_error(error, answers.transaction_status().is_some())
}
