use std::{error, fmt};

use crate::error::{DbError, Error};

/// Why a batch failed; all of it is undone, but where [`Error::outcome`] says that this is unknown.
#[derive(Debug)]
pub struct Failure {
    error: Error,
    statement: Option<usize>,
}

impl Failure {
    pub(super) fn of(statement: usize, error: Error) -> Self {
        Self { error, statement: Some(statement) }
    }

    /// Returns which statement failed, counted from 0, where that is known: a response over HTTP does not tell, and what COMMIT
    /// finds belongs to none.
    #[must_use]
    pub fn statement(&self) -> Option<usize> {
        self.statement
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Gives what went wrong, without the statement's number.
    #[must_use]
    pub fn into_error(self) -> Error {
        self.error
    }

    /// Returns it as Postgres would report it, with the statement's number, counted from 1, in the context (`where`).
    #[must_use]
    pub fn to_db_error(&self) -> DbError {
        let mut error = self.error.to_db_error();
        if let Some(statement) = self.statement {
            let place = format!("statement {} of the batch", statement + 1);
            error.where_ = Some(match error.where_.take() {
                Some(context) => format!("{context}\n{place}"),
                None => place,
            });
        }
        error
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, statement: None }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.statement {
            Some(statement) => failure.error.within(format_args!("statement {} of the batch", statement + 1)),
            None => failure.error,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.statement {
            Some(statement) => write!(f, "statement {} of the batch: {}", statement + 1, self.error),
            None => self.error.fmt(f),
        }
    }
}

impl error::Error for Failure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}
