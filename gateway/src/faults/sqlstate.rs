use http::StatusCode;
use pgferry::{DbError, SqlState};

/// What an error says of itself, so that nobody takes it for the server's own.
pub(super) const DETAIL: &str = "The gateway was told to answer so, by a fault.";

/// Where in its work Postgres comes to report an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Instead of a session.
    LogIn,
    /// Instead of a statement's result.
    Statement,
    /// Instead of a statement's result, and the session ends.
    End,
}

/// Reads a SQLSTATE that stands for an error.
pub(super) fn parse(text: &str) -> Option<SqlState> {
    let is_code = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let is_error = !["00", "01", "02"].iter().any(|class| text.starts_with(class));
    // Classes alone (`40000`) stand for errors, but no more than that: Postgres never raises them.
    (is_code && is_error && !text.ends_with("000")).then(|| SqlState::from_code(text))
}

pub(super) fn moment(code: &SqlState) -> Moment {
    match code.as_str() {
        "53300" | "57P03" | "28P01" => Moment::LogIn,
        "57P01" | "57P02" | "57P05" => Moment::End,
        _ => Moment::Statement,
    }
}

/// Returns the error with Postgres's own message, where that is always the same.
pub(super) fn error(code: &SqlState) -> DbError {
    let message = match code.as_str() {
        "23505" => "duplicate key value violates unique constraint",
        "25006" => "cannot execute statement in a read-only transaction",
        "28P01" => "password authentication failed",
        "40001" => "could not serialize access due to concurrent update",
        "40P01" => "deadlock detected",
        "53100" => "could not extend file: No space left on device",
        "53200" => "out of memory",
        "53300" => "sorry, too many clients already",
        "55P03" => "could not obtain lock on row",
        "57014" => "canceling statement due to statement timeout",
        "57P01" => "terminating connection due to administrator command",
        "57P02" => "terminating connection because of crash of another server process",
        "57P03" => "the database system is starting up",
        "57P05" => "terminating connection due to idle-session timeout",
        _ => "an error on purpose",
    };
    let severity = if moment(code) == Moment::Statement { "ERROR" } else { "FATAL" };
    let mut error = DbError::new(severity, Some(code.clone()), message);
    error.detail = Some(DETAIL.to_owned());
    error
}

/// Returns the status that such an error has over HTTP (PROTOCOL.md, section 2, "Errors").
pub(super) fn status(code: &SqlState) -> StatusCode {
    match moment(code) {
        Moment::LogIn if code.as_str() != "28P01" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_errors_are_taken() {
        for code in ["40001", "57P01", "XX001", "P0001"] {
            assert!(parse(code).is_some(), "{code}");
        }
        for code in ["", "4000", "400011", "40a01", "00000", "01004", "02001", "40000", "4000'"] {
            assert!(parse(code).is_none(), "{code}");
        }
    }
}
