//! Errors as `AsyncPgConnection` gives them, where that is not as `PgConnection` does.

use diesel::{
    QueryResult,
    result::{DatabaseErrorKind, Error as DieselError},
};
use pgferry::Error;

use crate::error::{kind, refuse_nul as refuse, with_kind};

/// The error of a query, on a session that is usable afterwards or not.
pub(super) fn query_error(error: Error, usable: bool) -> DieselError {
    with_kind(error, |error| match kind(error) {
        // What the server has said keeps the kind of its code, and diesel-async knows none for connections.
        DatabaseErrorKind::ClosedConnection if error.code().is_some() => DatabaseErrorKind::Unknown,
        known if usable || error.code().is_some() => known,
        DatabaseErrorKind::UnableToSendCommand => DatabaseErrorKind::UnableToSendCommand,
        _ => DatabaseErrorKind::ClosedConnection,
    })
}

/// Refuses a text with a NUL byte, which would end it early on the wire.
pub(super) fn refuse_nul(text: &str) -> QueryResult<()> {
    refuse(text).map_err(|error| {
        let message = format!("error encoding message to server: {error}");
        DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(message))
    })
}

/// The error of a type that the database does not have, in the words of Postgres.
pub(super) fn no_such_type(schema: Option<&str>, name: &str) -> DieselError {
    let schema = schema.map(|schema| format!("{schema}.")).unwrap_or_default();
    let message = format!("type \"{schema}{name}\" does not exist");
    DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message))
}
