use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use pgferry::{DbError, Error, Outcome, http::wire::ErrorBody};
use serde::Serialize;

/// Why a request got no result: the status and the 17 keys of its answer (PROTOCOL.md, section 2, "Errors").
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    /// Whether the server is to be stopped, since what it still sends is not worth reading.
    pub(crate) stops: bool,
    error: Box<DbError>,
}

impl Fault {
    /// An error that did not come from Postgres, and so has no code and no severity.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, stops: false, error: Box::new(DbError::new("", None, message)) }
    }

    /// The same with status 400, which most have.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn request_too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("request is too large (max is {limit} bytes)"))
    }

    pub(crate) fn request_too_slow(silence: Duration) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the HTTP request body came too slowly: nothing, or next to nothing, of it in {silence:?}"),
        )
    }

    /// Nothing was executed, and it may do well later.
    pub(crate) fn out_of_memory() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the requests that are being served take all the memory that they may have together: send fewer or smaller ones at once, or raise --max-request-memory (GatewayConfig::max_request_memory)",
        )
    }

    pub(crate) fn response_too_large(limit: usize) -> Self {
        let message = format!("response is too large (max is {limit} bytes)");
        Self { stops: true, ..Self::new(StatusCode::INSUFFICIENT_STORAGE, message) }
    }

    /// A COPY to the client has only begun; one from the client has failed.
    pub(crate) fn copy_refused(error: &Error) -> Self {
        let fault = Self::bad_request("COPY cannot be carried over HTTP: connect over a WebSocket to use it");
        Self { stops: error.outcome() == Outcome::Unknown, ..fault }
    }

    pub(crate) fn unreadable_response() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "could not parse postgres response")
    }

    /// The statement has run, and changed the encoding of its own result.
    pub(crate) fn not_utf8() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "could not parse postgres response: a value is not UTF-8, which JSON has to be. The statement has run (a batch is rolled back). Leave client_encoding at UTF8, or return such bytes as bytea",
        )
    }

    /// An error as Postgres reports it.
    pub(crate) fn from_postgres(status: StatusCode, error: DbError) -> Self {
        Self { status, stops: false, error: Box::new(error) }
    }

    /// What became of a log-in: only a wrong password and an unknown database are the caller's fault.
    pub(crate) fn from_login(error: &Error, user: &str) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::unreachable(error);
        };
        match db.code().map(|code| code.as_str()) {
            Some("28P01") => Self::bad_request(format!("password authentication failed for user '{user}'")),
            Some("3D000") => Self::from_postgres(StatusCode::BAD_REQUEST, db.clone()),
            _ => Self::from_postgres(StatusCode::INTERNAL_SERVER_ERROR, db.clone()),
        }
    }

    /// What became of a statement: every error that Postgres reports is a 400, and so is a lost connection.
    pub(crate) fn from_statement(error: &Error) -> Self {
        match error.as_db_error() {
            Some(db) => Self::from_postgres(StatusCode::BAD_REQUEST, db.clone()),
            None if error.outcome() == Outcome::NotExecuted && error.is_closed() => Self::unreachable(error),
            None if error.outcome() == Outcome::NotExecuted => Self::bad_request(error.message()),
            None => {
                let mut fault = Self::bad_request("the connection to Postgres was lost: the statement may have run");
                fault.error.detail = Some(error.message().to_owned());
                fault
            }
        }
    }

    /// The message is the reference's, by which clients know that nothing was executed; the reason stands beside it.
    fn unreachable(error: &Error) -> Self {
        let mut fault = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Couldn't connect to compute node");
        fault.error.detail = Some(error.message().to_owned());
        fault
    }

    /// No connection for these credentials came free in time.
    pub(crate) fn too_many_connections() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Too many connections to this endpoint. Please try again later.")
    }

    /// Returns the answer's body.
    pub(crate) fn body(&self) -> Bytes {
        // Strings and nulls alone: serialising them cannot fail.
        serde_json::to_vec(&ErrorBody::from(&*self.error)).map(Bytes::from).unwrap_or_default()
    }

    /// Returns what ends an answer whose first rows were sent: the same keys behind the status, which is too late to be sent.
    pub(crate) fn late_body(&self) -> Bytes {
        let late = Late { status: self.status.as_u16(), error: ErrorBody::from(&*self.error) };
        serde_json::to_vec(&late).map(Bytes::from).unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        &self.error.message
    }

    /// Returns what a log may say of it: the SQLSTATE where it is Postgres's, whose message can quote values of the statement.
    pub(crate) fn reason(&self) -> &str {
        match self.error.code() {
            Some(code) => code.as_str(),
            None => self.message(),
        }
    }
}

#[derive(Serialize)]
struct Late {
    status: u16,
    #[serde(flatten)]
    error: ErrorBody,
}
