use std::sync::Arc;

use super::{Field, Row};

/// What one statement gave.
#[derive(Clone, Debug)]
pub struct QueryResult {
    pub(super) columns: Arc<[Field]>,
    pub(super) rows: Vec<Row>,
    pub(super) command: String,
    pub(super) row_count: Option<u64>,
    pub(super) request_id: Option<Arc<str>>,
}

impl QueryResult {
    /// Returns the columns, also where there are no rows.
    #[must_use]
    pub fn columns(&self) -> &[Field] {
        &self.columns
    }

    /// Returns the rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Gives the rows away.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// Returns the first word of Postgres's command tag, such as `INSERT`; empty for an empty statement.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Returns how many rows were returned or affected; `None` where the tag does not tell, as for DDL.
    #[must_use]
    pub fn row_count(&self) -> Option<u64> {
        self.row_count
    }

    /// Returns the service's own name for the request, to be quoted to the provider.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}
