use std::{any::Any, fmt, marker::PhantomData, sync::Arc};

use diesel::{QueryResult, deserialize::FromSqlRow, pg::Pg, result::Error};
use pgferry::execute::Output;

use super::entry::Read;
use crate::{Cursor, error};

/// Where a query's result will be among a batch's [`Results`].
pub struct Slot<R> {
    batch: Arc<()>,
    index: usize,
    result: PhantomData<fn() -> R>,
}

impl<R> Slot<R> {
    pub(super) fn new(batch: &Arc<()>, index: usize) -> Self {
        Self { batch: Arc::clone(batch), index, result: PhantomData }
    }
}

impl<R> fmt::Debug for Slot<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.index).finish()
    }
}

/// What the queries of a batch gave, each to be taken by its [`Slot`].
pub struct Results {
    batch: Arc<()>,
    /// A `QueryResult` of what the slot is of each.
    results: Vec<Option<Box<dyn Any + Send>>>,
}

impl Results {
    pub(crate) fn new(batch: Arc<()>, reads: Vec<Read>, outputs: Vec<Output>) -> Self {
        let read = |(read, output): (Read, Output)| -> Option<Box<dyn Any + Send>> {
            Some(if output.is_empty { Box::new(error::empty_query()) } else { read(output) })
        };
        Self { batch, results: reads.into_iter().zip(outputs).map(read).collect() }
    }

    /// Takes a query's result.
    ///
    /// # Errors
    ///
    /// When there is no row and one is wanted, or a row cannot be read as what it is wanted as: the batch has taken effect nevertheless.
    /// [`QueryBuilderError`](Error::QueryBuilderError) where the slot is another batch's.
    pub fn take<R: 'static>(&mut self, slot: Slot<R>) -> QueryResult<R> {
        let result = self.results.get_mut(slot.index).filter(|_| Arc::ptr_eq(&self.batch, &slot.batch));
        let Some(result) = result.and_then(Option::take) else {
            return Err(Error::QueryBuilderError("the slot is another batch's".into()));
        };
        match result.downcast::<QueryResult<R>>() {
            Ok(result) => *result,
            // What had no statement is of no type.
            Err(other) => Err(other.downcast::<Error>().map_or_else(|_| error::empty_query(), |error| *error)),
        }
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("results", &self.results.len()).finish()
    }
}

/// Reads the rows of a result.
pub(super) fn rows<S, U: FromSqlRow<S, Pg>>(output: Output) -> impl Iterator<Item = QueryResult<U>> {
    Cursor::new(output).map(|row| U::build_from_row(&row?).map_err(Error::DeserializationError))
}
