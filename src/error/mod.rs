//! What can go wrong, and whether the statement may have run.

mod db_error;
mod outcome;
mod sql_state;

use std::{error, fmt, time::Duration};

pub use db_error::DbError;
pub use outcome::Outcome;
pub use sql_state::SqlState;

/// A result whose error is pgferry's own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The source of an error, of whatever type.
pub(crate) type BoxError = Box<dyn error::Error + Send + Sync>;

/// An error of any of pgferry's transports.
///
/// What it is can be asked through predicates; [`Error::outcome`] says whether the statement may be sent again without
/// the risk of running twice. `Display` tells one level, [`source`](error::Error::source) the rest.
///
/// # Example
///
/// ```
/// use pgferry::{Error, Outcome, SqlState};
///
/// let error = Error::refused("LISTEN needs a session: use transport=websocket");
/// assert!(error.is_refused());
/// assert_eq!(error.outcome(), Outcome::NotExecuted);
/// assert_eq!(error.sql_state(), SqlState::FEATURE_NOT_SUPPORTED);
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    outcome: Outcome,
    request_id: Option<String>,
    source: Option<BoxError>,
    /// What a service in front of Postgres said in the form of Postgres's own errors.
    fields: Option<Box<DbError>>,
}

/// Private, so that a new kind breaks nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Config,
    Connect {
        /// With which the upgrade to a WebSocket was refused.
        status: Option<u16>,
    },
    Tls,
    Auth,
    Timeout,
    Closed,
    Db(Box<DbError>),
    Service {
        status: u16,
    },
    Refused,
    /// Refused with the results of a statement that may have written.
    RefusedResults,
    Limit,
    Protocol,
    Value,
}

impl Error {
    fn new(kind: Kind, outcome: Outcome, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), outcome, request_id: None, source: None, fields: None }))
    }

    /// A setting that is missing, malformed or impossible.
    #[cfg(feature = "client")]
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, Outcome::NotExecuted, message)
    }

    /// A connection that could not be opened: name look-up, TCP or the upgrade to a WebSocket.
    pub fn connect(message: impl Into<String>) -> Self {
        Self::new(Kind::Connect { status: None }, Outcome::NotExecuted, message)
    }

    /// An upgrade to a WebSocket that the server answered with this status.
    #[cfg(feature = "client")]
    pub(crate) fn upgrade_refused(status: u16, message: impl Into<String>) -> Self {
        Self::new(Kind::Connect { status: Some(status) }, Outcome::NotExecuted, message)
    }

    /// A TLS handshake or a certificate that failed.
    #[cfg(feature = "client")]
    pub(crate) fn tls(message: impl Into<String>) -> Self {
        Self::new(Kind::Tls, Outcome::NotExecuted, message)
    }

    /// A log-in that the server, or the client's own policy, refused.
    pub fn auth(message: impl Into<String>) -> Self {
        Self::new(Kind::Auth, Outcome::NotExecuted, message)
    }

    /// A deadline that passed; `what` is what was being waited for.
    pub fn timeout(what: &str, after: Duration, outcome: Outcome) -> Self {
        Self::new(Kind::Timeout, outcome, format!("no {what} within {after:?}"))
    }

    /// A connection that was lost.
    pub fn closed(message: impl Into<String>, outcome: Outcome) -> Self {
        Self::new(Kind::Closed, outcome, message)
    }

    /// An error that Postgres reported.
    pub(crate) fn db(error: DbError) -> Self {
        Self(Box::new(Inner {
            message: error.to_string(),
            kind: Kind::Db(Box::new(error)),
            outcome: Outcome::Failed,
            request_id: None,
            source: None,
            fields: None,
        }))
    }

    /// An error of the HTTP service in front of Postgres.
    pub(crate) fn service(status: u16, message: impl Into<String>, outcome: Outcome) -> Self {
        Self::new(Kind::Service { status }, outcome, message)
    }

    /// An operation that the transport cannot carry, refused before anything was sent; the message names the remedy.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, Outcome::NotExecuted, message)
    }

    /// Results that cannot be carried, refused when their statement has run, which the message says. Where it may have written, itself
    /// or by what it calls, no caller may take this for a refusal and send it again.
    pub fn refused_results(message: impl Into<String>, may_have_written: bool) -> Self {
        let kind = if may_have_written { Kind::RefusedResults } else { Kind::Refused };
        Self::new(kind, Outcome::Unknown, message)
    }

    /// A request over HTTP that was dropped because its user asked for that, as Postgres says it of a statement in a session.
    pub fn cancelled() -> Self {
        let message = "canceling statement due to user request";
        let mut error = DbError::new("ERROR", Some(SqlState::QUERY_CANCELED), message);
        error.detail = Some("The request was dropped, which cancels it; it may have ended just before.".to_owned());
        Self::db(error).with_outcome(Outcome::Unknown)
    }

    /// A request or a response larger than the configured limit.
    pub fn limit(message: impl Into<String>, outcome: Outcome) -> Self {
        Self::new(Kind::Limit, outcome, message)
    }

    /// A peer that broke its protocol.
    pub fn protocol(message: impl Into<String>, outcome: Outcome) -> Self {
        Self::new(Kind::Protocol, outcome, message)
    }

    /// A value that cannot be converted: of a parameter before sending, or of a row after the statement ran.
    pub fn value(message: impl Into<String>, outcome: Outcome) -> Self {
        Self::new(Kind::Value, outcome, message)
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the fields of an error that came in the form of Postgres's own, but from a service in front of it.
    #[must_use]
    pub(crate) fn with_fields(mut self, fields: DbError) -> Self {
        self.0.fields = Some(Box::new(fields));
        self
    }

    /// Adds the service's own name for the request.
    #[must_use]
    #[cfg(feature = "client")]
    pub(crate) fn with_request_id(mut self, id: Option<impl Into<String>>) -> Self {
        self.0.request_id = id.map(Into::into);
        self
    }

    /// Puts in front of the message what it is about; the cause stays the cause, so that no level is told twice.
    #[must_use]
    #[cfg(feature = "client")]
    pub(crate) fn within(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// Replaces the outcome, where the caller knows more than whoever made the error.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Adds to the detail of an error that Postgres reported.
    #[must_use]
    #[cfg(feature = "client")]
    pub(crate) fn with_detail(mut self, detail: &str) -> Self {
        if let Kind::Db(error) = &mut self.0.kind {
            error.detail = Some(error.detail.iter().map(String::as_str).chain([detail]).collect::<Vec<_>>().join("; "));
            self.0.message = error.to_string();
        }
        self
    }

    /// Rewrites the place in the statement's text, for whoever had sent a longer text than the user's.
    #[must_use]
    #[cfg(feature = "client")]
    pub(crate) fn map_position(mut self, map: impl FnOnce(u32) -> Option<u32>) -> Self {
        if let Kind::Db(error) = &mut self.0.kind {
            error.position = error.position.and_then(map);
        }
        self
    }

    /// Returns the error as Postgres would report it, for clients that speak its protocol.
    ///
    /// An error that came from Postgres is given unchanged. Any other gets the SQLSTATE of [`sql_state`](Self::sql_state), and
    /// its causes and the request id as the detail.
    #[must_use]
    pub fn to_db_error(&self) -> DbError {
        if let Kind::Db(error) = &self.0.kind {
            return DbError::clone(error);
        }
        let mut message = self.0.message.clone();
        if self.must_tell_outcome() {
            message.push_str(outcome::UNKNOWN);
        }
        let causes = std::iter::successors(error::Error::source(self), |cause| cause.source()).map(ToString::to_string);
        let fields = self.0.fields.as_deref();
        let told = fields.and_then(|fields| fields.detail.clone()).into_iter();
        let details: Vec<_> =
            told.chain(causes).chain(self.request_id().map(|id| format!("request id {id}"))).collect();
        DbError {
            detail: (!details.is_empty()).then(|| details.join("; ")),
            hint: fields.and_then(|fields| fields.hint.clone()),
            ..DbError::new("ERROR", Some(self.sql_state()), message)
        }
    }

    /// Returns whether the statement cannot have run, has failed, or may have run.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns the fields of the error that Postgres reported, if it is one.
    ///
    /// An error over HTTP has them also where it came from the service in front of Postgres; its `code` is then `None`.
    #[must_use]
    pub fn as_db_error(&self) -> Option<&DbError> {
        match &self.0.kind {
            Kind::Db(error) => Some(error),
            _ => self.0.fields.as_deref(),
        }
    }

    /// Returns the SQLSTATE that Postgres reported, if it reported one.
    #[must_use]
    pub fn code(&self) -> Option<&SqlState> {
        self.as_db_error().and_then(DbError::code)
    }

    /// Returns the SQLSTATE that stands for this error, also where it did not come from Postgres.
    ///
    /// Errors of our own map as follows: never executed 08001, unknown outcome 08007, refused 0A000, limit 54000, log-in
    /// 28000 (a wrong password 28P01, as Postgres has it), protocol 08P01, value 22P02. What cannot be converted or carried after its statement has run is an unknown outcome; only
    /// where the statement's text shows that it reads, results that cannot be carried are refused.
    #[must_use]
    pub fn sql_state(&self) -> SqlState {
        if let Some(code) = self.code() {
            return code.clone();
        }
        match (&self.0.kind, self.0.outcome) {
            // Whatever else it is, the statement may have run, and that is what a caller must know.
            (Kind::Value | Kind::RefusedResults, Outcome::Unknown) => SqlState::TRANSACTION_RESOLUTION_UNKNOWN,
            (Kind::Refused | Kind::RefusedResults, _) => SqlState::FEATURE_NOT_SUPPORTED,
            (Kind::Limit, _) => SqlState::PROGRAM_LIMIT_EXCEEDED,
            (Kind::Auth, _) => SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            (Kind::Value, _) => SqlState::INVALID_TEXT_REPRESENTATION,
            (_, Outcome::Unknown) => SqlState::TRANSACTION_RESOLUTION_UNKNOWN,
            (Kind::Protocol, _) => SqlState::PROTOCOL_VIOLATION,
            (_, Outcome::NotExecuted) => SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
            (_, Outcome::Failed) => SqlState::CONNECTION_EXCEPTION,
        }
    }

    /// Returns the HTTP service's own name for the request, to be quoted to the provider.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the HTTP status, where the service rather than Postgres reported the error, or refused the upgrade to a WebSocket.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.0.kind {
            Kind::Service { status } => Some(status),
            Kind::Connect { status } => status,
            _ => None,
        }
    }

    /// Returns the message without the outcome and the request id that `Display` adds.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns whether a setting was missing, malformed or impossible.
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.0.kind == Kind::Config
    }

    /// Returns whether no connection could be opened; the statement was never sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.0.kind, Kind::Connect { .. } | Kind::Tls)
    }

    /// Returns whether TLS failed.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.kind == Kind::Tls
    }

    /// Returns whether the log-in was refused.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        self.0.kind == Kind::Auth || self.code().is_some_and(|code| code.as_str().starts_with("28"))
    }

    /// Returns whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }

    /// Returns whether the connection was lost.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.kind == Kind::Closed
    }

    /// Returns whether the transport cannot carry the operation; the message names the remedy.
    ///
    /// It is so too where a statement that only reads has run, but its results cannot be carried. Of one that may have written,
    /// that is no refusal but an unknown outcome, so that nobody sends it again for it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.0.kind == Kind::Refused
    }

    /// Returns whether a value could not be converted: a parameter's where nothing was executed, else a row's.
    #[must_use]
    pub fn is_value(&self) -> bool {
        self.0.kind == Kind::Value
    }

    /// Returns whether a limit of size was passed.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.0.kind == Kind::Limit
    }

    /// Whether the statement has run, and it is its results that cannot be carried.
    #[cfg(feature = "client")]
    pub(crate) fn is_of_results(&self) -> bool {
        let can_be = matches!(self.0.kind, Kind::Refused | Kind::RefusedResults | Kind::Value | Kind::Limit);
        can_be && self.0.outcome == Outcome::Unknown
    }

    /// What is refused with the results says itself that the statement has run.
    fn must_tell_outcome(&self) -> bool {
        self.0.outcome == Outcome::Unknown && !matches!(self.0.kind, Kind::Refused | Kind::RefusedResults)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if self.must_tell_outcome() {
            f.write_str(outcome::UNKNOWN)?;
        }
        if let Some(id) = &self.0.request_id {
            write!(f, " (request id {id})")?;
        }
        if let Some(fields) = &self.0.fields {
            fields.write_more(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, outcome, request_id, source, fields } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("message", message)
            .field("outcome", outcome)
            .field("request_id", request_id)
            .field("source", source)
            .field("fields", fields)
            .finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn error::Error + 'static))
    }
}

/// For functions that take anything convertible into a [`Config`](crate::Config), a `Config` included.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
