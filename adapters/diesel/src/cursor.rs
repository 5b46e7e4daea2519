use std::{iter::FusedIterator, sync::Arc, vec};

use diesel::QueryResult;
use pgferry::{execute::Output, wire::DataRow};

use crate::{Row, columns::Columns};

/// The rows of a result, all of which have arrived.
///
/// It borrows nothing, so several can be held at once while the connection goes on.
#[derive(Debug)]
pub struct Cursor {
    columns: Arc<Columns>,
    rows: vec::IntoIter<DataRow>,
}

impl Cursor {
    pub(crate) fn new(output: Output) -> Self {
        Self { columns: Arc::new(Columns::new(output.columns)), rows: output.rows.into_iter() }
    }

    fn row(&self, data: DataRow) -> QueryResult<Row> {
        Ok(Row::new(Arc::clone(&self.columns), data))
    }
}

impl Iterator for Cursor {
    type Item = QueryResult<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let data = self.rows.next()?;
        Some(self.row(data))
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        let data = self.rows.nth(n)?;
        Some(self.row(data))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }

    fn count(self) -> usize {
        self.rows.len()
    }
}

impl ExactSizeIterator for Cursor {}

impl FusedIterator for Cursor {}
