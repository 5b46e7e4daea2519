use std::{borrow::Cow, error, fmt};

use pgferry::{Error, migrate};
use sqlx::{
    error::{DatabaseError, ErrorKind},
    migrate::MigrateError,
};

/// What the database said of a migration. sqlx's own type for it cannot be made outside of sqlx.
#[derive(Debug)]
struct Failure {
    error: Error,
    code: String,
    /// In which line of its script.
    line: Option<usize>,
}

pub(super) fn from_engine(error: migrate::MigrateError) -> MigrateError {
    use migrate::MigrateError as Engine;

    let number = |version: &migrate::Version| version.as_number();
    match error {
        Engine::Database(error) => MigrateError::Execute(failure(error, None)),
        Engine::Script { version, line, error } => {
            MigrateError::ExecuteMigration(failure(error, line), number(&version).unwrap_or_default())
        }
        Engine::Dirty(version) => MigrateError::Dirty(number(&version).unwrap_or_default()),
        Engine::Missing(version) => MigrateError::VersionMissing(number(&version).unwrap_or_default()),
        Engine::Changed(version) => MigrateError::VersionMismatch(number(&version).unwrap_or_default()),
        Engine::NoSuchTarget(version) => MigrateError::VersionNotPresent(number(&version).unwrap_or_default()),
        other => MigrateError::Execute(sqlx::Error::Configuration(Box::new(other))),
    }
}

fn failure(error: Error, line: Option<usize>) -> sqlx::Error {
    let code = error.sql_state().as_str().to_owned();
    sqlx::Error::Database(Box::new(Failure { error, code, line }))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.error),
            None => self.error.fmt(f),
        }
    }
}

impl error::Error for Failure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}

impl DatabaseError for Failure {
    fn message(&self) -> &str {
        self.error.as_db_error().map_or_else(|| self.error.message(), |error| &error.message)
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.code))
    }

    fn as_error(&self) -> &(dyn error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn error::Error + Send + Sync + 'static> {
        self
    }

    fn constraint(&self) -> Option<&str> {
        self.error.as_db_error().and_then(|error| error.constraint.as_deref())
    }

    fn table(&self) -> Option<&str> {
        self.error.as_db_error().and_then(|error| error.table.as_deref())
    }

    fn kind(&self) -> ErrorKind {
        match self.code.as_str() {
            "23505" => ErrorKind::UniqueViolation,
            "23503" => ErrorKind::ForeignKeyViolation,
            "23502" => ErrorKind::NotNullViolation,
            "23514" => ErrorKind::CheckViolation,
            "23P01" => ErrorKind::ExclusionViolation,
            _ => ErrorKind::Other,
        }
    }
}
