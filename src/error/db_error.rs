use std::{error, fmt};

use super::SqlState;

/// An error or a notice as Postgres reports it: the fields of its `ErrorResponse` (manual, section 55.8), which are also
/// the 17 keys of an error over HTTP (PROTOCOL.md, section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DbError {
    /// `ERROR`, `FATAL`, `PANIC`, or a notice's level; never translated where the server tells (V), else as sent (S).
    pub severity: String,
    /// The SQLSTATE; `None` where the error came from a service in front of Postgres.
    pub code: Option<SqlState>,
    /// The primary message.
    pub message: String,
    /// More about the problem.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The place in the statement's text: a count of characters, not bytes, from 1.
    pub position: Option<u32>,
    /// The place in the internal query's text: a count of characters from 1.
    pub internal_position: Option<u32>,
    /// The text of a failed query that Postgres made itself, as in a PL/pgSQL function.
    pub internal_query: Option<String>,
    /// The context in which the error occurred.
    pub where_: Option<String>,
    /// The schema that the error is about.
    pub schema: Option<String>,
    /// The table that the error is about.
    pub table: Option<String>,
    /// The column that the error is about.
    pub column: Option<String>,
    /// The data type that the error is about.
    pub data_type: Option<String>,
    /// The constraint that the error is about.
    pub constraint: Option<String>,
    /// The file of Postgres's source that reported it.
    pub file: Option<String>,
    /// The line in that file.
    pub line: Option<u32>,
    /// The routine in that file.
    pub routine: Option<String>,
}

impl DbError {
    /// Makes an error with a severity, a code and a message, and nothing else.
    #[must_use]
    pub fn new(severity: &str, code: Option<SqlState>, message: impl Into<String>) -> Self {
        Self { severity: severity.to_owned(), code, message: message.into(), ..Self::default() }
    }

    /// Returns the SQLSTATE, if there is one.
    #[must_use]
    pub fn code(&self) -> Option<&SqlState> {
        self.code.as_ref()
    }
}

impl DbError {
    /// Writes what goes under the message.
    pub(super) fn write_more(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in [("detail", &self.detail), ("hint", &self.hint)] {
            if let Some(value) = value {
                write!(f, "\n{name}: {value}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.severity.is_empty() {
            write!(f, "{}: ", self.severity)?;
        }
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        self.write_more(f)
    }
}

impl error::Error for DbError {}
