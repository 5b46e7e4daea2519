use std::{error::Error as _, ffi::CString, iter};

use diesel::{
    ConnectionError, QueryResult,
    result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError},
};
use pgferry::{DbError, Error, Outcome, SqlState};

/// The error of a connection that could not be opened.
pub(crate) fn connection_error(error: &Error) -> ConnectionError {
    let causes = iter::successors(error.source(), |&cause| cause.source());
    let message = causes.fold(error.to_string(), |message, cause| format!("{message}: {cause}"));
    if error.is_config() {
        ConnectionError::InvalidConnectionUrl(message)
    } else {
        ConnectionError::BadConnection(message)
    }
}

/// The error of a query, on a session that is usable afterwards or not. Its kind is the one that `PgConnection` gives it.
pub(crate) fn query_error(error: Error, usable: bool) -> DieselError {
    with_kind(error, |error| match kind(error) {
        known if usable && !ends_session(error) => known,
        DatabaseErrorKind::UnableToSendCommand => DatabaseErrorKind::UnableToSendCommand,
        _ => DatabaseErrorKind::ClosedConnection,
    })
}

/// The error of a query whose kind is told by what has happened.
pub(crate) fn with_kind(error: Error, kind: impl FnOnce(&Error) -> DatabaseErrorKind) -> DieselError {
    if error.is_value() {
        return match error.outcome() {
            Outcome::NotExecuted => DieselError::SerializationError(Box::new(error)),
            Outcome::Failed | Outcome::Unknown => DieselError::DeserializationError(Box::new(error)),
        };
    }
    DieselError::DatabaseError(kind(&error), Box::new(Information(error.to_db_error())))
}

/// The error of a query without a statement, in diesel's words; Postgres itself lets it pass.
pub(crate) fn empty_query() -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new("Received an empty query".to_owned()))
}

/// The error of a session that was lost, where there is no query that it is of.
pub(crate) fn lost() -> DieselError {
    let message = "the session was lost: open another".to_owned();
    DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(message))
}

/// Refuses a text with a NUL byte, which would end it early on the wire.
pub(crate) fn refuse_nul(text: &str) -> QueryResult<()> {
    if text.contains('\0') {
        CString::new(text)?;
    }
    Ok(())
}

/// Whether the server ended the session with it, as it may do with the one behind a request over HTTP.
fn ends_session(error: &Error) -> bool {
    error.as_db_error().is_some_and(|error| matches!(error.severity.as_str(), "FATAL" | "PANIC"))
}

/// What has happened, as far as it does not depend on what became of the session.
pub(crate) fn kind(error: &Error) -> DatabaseErrorKind {
    if let Some(code) = error.code() {
        return kind_of_code(code);
    }
    if (error.is_limit() || error.is_closed()) && error.outcome() == Outcome::NotExecuted {
        return DatabaseErrorKind::UnableToSendCommand;
    }
    if error.is_closed() || error.is_connect() {
        return DatabaseErrorKind::ClosedConnection;
    }
    DatabaseErrorKind::Unknown
}

/// The kinds that diesel distinguishes (PostgreSQL manual, appendix A).
fn kind_of_code(code: &SqlState) -> DatabaseErrorKind {
    match code.as_str() {
        "23505" => DatabaseErrorKind::UniqueViolation,
        "23503" => DatabaseErrorKind::ForeignKeyViolation,
        "23502" => DatabaseErrorKind::NotNullViolation,
        "23514" => DatabaseErrorKind::CheckViolation,
        "23001" => DatabaseErrorKind::RestrictViolation,
        "23P01" => DatabaseErrorKind::ExclusionViolation,
        "25006" => DatabaseErrorKind::ReadOnlyTransaction,
        "40001" => DatabaseErrorKind::SerializationFailure,
        "08000" | "08001" | "08004" | "08006" => DatabaseErrorKind::ClosedConnection,
        _ => DatabaseErrorKind::Unknown,
    }
}

/// What diesel can be asked about an error.
struct Information(DbError);

impl DatabaseErrorInformation for Information {
    fn message(&self) -> &str {
        &self.0.message
    }

    fn details(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    fn table_name(&self) -> Option<&str> {
        self.0.table.as_deref()
    }

    fn column_name(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.0.constraint.as_deref()
    }

    fn statement_position(&self) -> Option<i32> {
        self.0.position.and_then(|position| position.try_into().ok())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diesel::result::{DatabaseErrorKind::*, Error::*};

    use super::*;

    #[track_caller]
    fn kind_of(error: Error, usable: bool) -> DatabaseErrorKind {
        match query_error(error, usable) {
            DatabaseError(kind, _) => kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_of_our_own_get_the_kind_that_fits() {
        assert!(matches!(kind_of(Error::closed("gone", Outcome::Unknown), true), ClosedConnection));
        assert!(matches!(kind_of(Error::closed("gone before", Outcome::NotExecuted), false), UnableToSendCommand));
        assert!(matches!(kind_of(Error::connect("no route"), true), ClosedConnection));
        assert!(matches!(kind_of(Error::limit("too large", Outcome::NotExecuted), true), UnableToSendCommand));
        assert!(matches!(kind_of(Error::limit("too large", Outcome::Unknown), true), Unknown));
        let late = || Error::timeout("answer", Duration::from_secs(1), Outcome::Unknown);
        assert!(matches!(kind_of(late(), true), Unknown));
        assert!(matches!(kind_of(late(), false), ClosedConnection));
        assert!(matches!(kind_of(Error::refused("no session"), true), Unknown));
    }

    #[test]
    fn an_unknown_outcome_is_told_in_the_message() {
        let error = query_error(Error::closed("the peer went away", Outcome::Unknown), false);
        assert!(error.to_string().contains("may have run"), "{error}");
    }

    #[test]
    fn values_that_cannot_be_converted_are_not_the_databases_fault() {
        assert!(matches!(query_error(Error::value("$1", Outcome::NotExecuted), true), SerializationError(_)));
        assert!(matches!(query_error(Error::value("column 1", Outcome::Unknown), true), DeserializationError(_)));
    }

    #[test]
    fn codes_are_those_that_diesel_knows() {
        for (code, expected) in [
            ("23505", UniqueViolation),
            ("23503", ForeignKeyViolation),
            ("23502", NotNullViolation),
            ("23514", CheckViolation),
            ("23001", RestrictViolation),
            ("23P01", ExclusionViolation),
            ("25006", ReadOnlyTransaction),
            ("40001", SerializationFailure),
            ("08006", ClosedConnection),
            ("42601", Unknown),
        ] {
            let kind = kind_of_code(&SqlState::from_code(code));
            assert_eq!(format!("{kind:?}"), format!("{expected:?}"), "{code}");
        }
    }

    #[test]
    fn the_causes_of_a_failed_connection_are_told() {
        let error = Error::connect("no connection to db.example.com").with_source("the network is down");
        let ConnectionError::BadConnection(message) = connection_error(&error) else { panic!("{error:?}") };
        assert_eq!(message, "no connection to db.example.com: the network is down");
    }
}
