use std::fmt;

use serde_json::Value;

use super::ErrorBody;
use crate::error::{DbError, Error, Outcome, SqlState};

/// How much of a text that is not the service's JSON is quoted, in characters.
const MAX_EXCERPT: usize = 200;

/// What a service says, in whole or at the start, when it gave up before it reached Postgres.
const NEVER_REACHED_POSTGRES: &[&str] = &[
    "Couldn't connect to compute node",
    "Control plane request failed",
    "Too many connections",
    "Failed to acquire permit",
    "This IP address",
    "could not parse the HTTP request body",
    "incorrect scheme",
    "invalid connection string",
    "invalid header",
    "invalid isolation level",
    "invalid username",
    "missing connection string",
    "missing database name",
    "missing header",
    "missing username",
];

/// What a service says of a wrong password and of an unknown user, in Postgres's words and without its code.
const WRONG_PASSWORD: &str = "password authentication failed";

/// What else a service says when it will not let the caller in.
const NOT_LET_IN: &[&str] = &["missing authentication credentials", "authentication failed"];

/// Returns the error that a response is whose status is not 200, or that has no result.
///
/// The body may be the service's 17 keys, its router's `{"msg": …}` or JSON string, or anybody's text or HTML. What it says
/// of the statement follows PROTOCOL.md, section 2, "Which failures may be repeated", and where that says nothing, the
/// outcome is unknown:
///
/// * with a SQLSTATE: [`Outcome::Failed`]; but not executed where Postgres refused the connection, and unknown where the
///   code itself says so (08007, 40003);
/// * a log-in that was refused, for a wrong password with the code 28P01 that Postgres has for it, a request that was malformed, too large (413) or too much (429, 503): not executed;
/// * a response that grew too large (507), other errors of a service, and errors of proxies: unknown.
///
/// # Example
///
/// ```
/// use pgferry::{Outcome, http::wire::error_from_response};
///
/// let error = error_from_response(400, br#"{"message":"division by zero","code":"22012","severity":"ERROR"}"#);
/// assert_eq!(error.code().map(|code| code.as_str()), Some("22012"));
/// assert_eq!(error.outcome(), Outcome::Failed);
///
/// let error = error_from_response(502, b"<html><h1>Bad Gateway</h1></html>");
/// assert_eq!((error.status(), error.outcome()), (Some(502), Outcome::Unknown));
/// ```
#[must_use]
pub fn error_from_response(status: u16, body: &[u8]) -> Error {
    of_answer(Answer { status, host: None }, body)
}

/// As [`error_from_response`], with the name of the host that answered, where the error is not Postgres's own.
#[cfg(feature = "client")]
pub(crate) fn error_from(host: &str, status: u16, body: &[u8]) -> Error {
    of_answer(Answer { status, host: Some(host) }, body)
}

/// Returns what a service says of itself in a body, if that has one of its forms.
#[cfg(feature = "client")]
pub(crate) fn service_error(body: &[u8]) -> Option<ErrorBody> {
    Some(match Said::read(body)? {
        Said::ByRouter(message) => ErrorBody::from_message(message),
        Said::InFields(body) => *body,
    })
}

/// What answered.
#[derive(Clone, Copy)]
struct Answer<'a> {
    status: u16,
    host: Option<&'a str>,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP status {}", self.status)?;
        self.host.map_or(Ok(()), |host| write!(f, " from {host}"))
    }
}

/// A body in one of a service's forms.
enum Said {
    ByRouter(String),
    InFields(Box<ErrorBody>),
}

impl Said {
    fn read(body: &[u8]) -> Option<Self> {
        match serde_json::from_slice(body).ok()? {
            Value::String(message) => Some(Self::ByRouter(message)),
            Value::Object(mut object) => match object.remove("msg") {
                Some(Value::String(message)) => Some(Self::ByRouter(message)),
                _ => serde_json::from_value(Value::Object(object)).ok().map(Self::InFields),
            },
            _ => None,
        }
    }
}

fn of_answer(answer: Answer<'_>, body: &[u8]) -> Error {
    match Said::read(body) {
        Some(Said::ByRouter(message)) => from_router(answer, message),
        Some(Said::InFields(body)) if body.code.is_empty() => from_service(answer, *body),
        Some(Said::InFields(body)) => from_postgres(answer.status, *body),
        None => from_stranger(answer, body),
    }
}

fn from_postgres(status: u16, body: ErrorBody) -> Error {
    let outcome = match body.code.as_str() {
        "08007" | "40003" => Outcome::Unknown,
        // Raised while a connection is opened; as an ERROR, 3D000 and 28000 are a statement's own.
        "3D000" | "28000" | "28P01" | "53300" | "57P03" if body.severity == "FATAL" => Outcome::NotExecuted,
        // The reference answers 400 to a FATAL during a query, and 500 to the log-ins that Postgres refused.
        _ if status == 500 && body.severity == "FATAL" => Outcome::NotExecuted,
        _ => Outcome::Failed,
    };
    Error::db(DbError::from(body)).with_outcome(outcome)
}

/// The 17 keys, of a service in front of Postgres: it may have failed at any moment.
fn from_service(answer: Answer<'_>, body: ErrorBody) -> Error {
    if body.message.starts_with(WRONG_PASSWORD) {
        let error = DbError { severity: "FATAL".into(), code: Some(SqlState::INVALID_PASSWORD), ..DbError::from(body) };
        return Error::db(error).with_outcome(Outcome::NotExecuted);
    }
    let is_any = |starts: &[&str]| starts.iter().any(|start| body.message.starts_with(start));
    let error = if is_any(NOT_LET_IN) {
        Error::auth(body.message.as_str())
    } else {
        let outcome =
            if is_any(NEVER_REACHED_POSTGRES) { Outcome::NotExecuted } else { outcome_of_status(answer.status) };
        from_status(answer, body.message.clone(), outcome)
    };
    error.with_fields(DbError::from(body))
}

fn from_router(answer: Answer<'_>, message: String) -> Error {
    let status = answer.status;
    let outcome = if (400..500).contains(&status) { Outcome::NotExecuted } else { outcome_of_status(status) };
    from_status(answer, message, outcome)
}

/// Whatever stands between: a load balancer, a firewall, a wrong address.
fn from_stranger(answer: Answer<'_>, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let excerpt: String = words.chars().filter(|char| !char.is_control()).take(MAX_EXCERPT).collect();
    let message = match (answer.status, excerpt.is_empty()) {
        (300..=399, _) => "the server redirects, which is not followed: set http_url to where it leads".to_owned(),
        (_, true) => "the server answered without a reason".to_owned(),
        (_, false) => format!("the server answered, not as SQL over HTTP does: {excerpt}"),
    };
    from_status(answer, message, outcome_of_status(answer.status))
}

fn from_status(answer: Answer<'_>, message: String, outcome: Outcome) -> Error {
    match answer.status {
        401 | 403 => Error::auth(format!("{message} ({answer})")),
        413 => Error::limit(
            format!("{message} ({answer}: the request is larger than the server accepts; send less at a time)"),
            outcome,
        ),
        507 => Error::limit(
            format!("{message} ({answer}: the response is larger than the server sends; ask for fewer rows)"),
            outcome,
        ),
        status => Error::service(status, format!("{message} ({answer})"), outcome),
    }
}

/// What a status alone says, whoever gave it.
fn outcome_of_status(status: u16) -> Outcome {
    match status {
        // Redirected, not let in, not found, not accepted, too large, wrongly addressed, too early, too many, no capacity.
        300..=399 | 401..=407 | 411 | 413..=417 | 421 | 426 | 428 | 429 | 431 | 501 | 503 | 505 | 511 => {
            Outcome::NotExecuted
        }
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Failed, NotExecuted, Unknown};

    fn service(message: &str) -> String {
        serde_json::to_string(&ErrorBody::from_message(message)).unwrap()
    }

    fn postgres(severity: &str, code: &str) -> String {
        let body = ErrorBody { severity: severity.into(), code: code.into(), ..ErrorBody::from_message("m") };
        serde_json::to_string(&body).unwrap()
    }

    #[test]
    fn a_services_reason_survives() {
        let body = ErrorBody {
            detail: Some("no connection to Postgres at port 5432: refused".to_owned()),
            hint: Some("start it".to_owned()),
            ..ErrorBody::from_message("Couldn't connect to compute node")
        };
        let error = error_from_response(500, &serde_json::to_vec(&body).unwrap());
        let fields = error.as_db_error().unwrap();
        assert_eq!((fields.code(), fields.hint.as_deref()), (None, Some("start it")));
        assert!(
            error.to_string().ends_with("\ndetail: no connection to Postgres at port 5432: refused\nhint: start it"),
            "{error}"
        );
        let told = error.to_db_error();
        assert_eq!(told.code().map(SqlState::as_str), Some("08001"));
        assert_eq!(told.detail.as_deref(), Some("no connection to Postgres at port 5432: refused"));
        assert_eq!(told.hint.as_deref(), Some("start it"));
    }

    #[test]
    fn outcomes_are_those_of_the_protocol_notes() {
        let cases = [
            // Postgres's own.
            (400, postgres("ERROR", "23505"), Failed),
            (400, postgres("FATAL", "57P01"), Failed),
            (400, postgres("FATAL", "3D000"), NotExecuted),
            (400, postgres("ERROR", "3D000"), Failed),
            (500, postgres("FATAL", "53300"), NotExecuted),
            (500, postgres("FATAL", "28000"), NotExecuted),
            (500, postgres("FATAL", "42501"), NotExecuted),
            (400, postgres("FATAL", "57P03"), NotExecuted),
            (400, postgres("ERROR", "40003"), Unknown),
            (503, postgres("ERROR", "22012"), Failed),
            // The service's.
            (400, service("password authentication failed for user 'app'"), NotExecuted),
            (400, service("missing authentication credentials: required password"), NotExecuted),
            (400, service("Couldn't connect to compute node"), NotExecuted),
            (500, service("Control plane request failed"), NotExecuted),
            (500, service("Too many connections to this endpoint. Please try again later."), NotExecuted),
            (500, service("Failed to acquire permit to connect to the database."), NotExecuted),
            (400, service("invalid header: neon-connection-string"), NotExecuted),
            (400, service("missing username"), NotExecuted),
            (413, service("HTTP request is too large"), NotExecuted),
            (507, service("HTTP response is too large (max is 10485760 bytes)"), Unknown),
            (400, service("db error"), Unknown),
            (400, service("connection closed"), Unknown),
            (500, service("could not parse postgres response"), Unknown),
            (200, service("connection closed"), Unknown),
            // The router's.
            (400, r#""query is not supported""#.into(), NotExecuted),
            (429, r#"{"msg":"rate limit exceeded"}"#.into(), NotExecuted),
            (503, r#"{"msg":"service unavailable"}"#.into(), NotExecuted),
            (500, r#"{"msg":"internal server error"}"#.into(), Unknown),
            // Anybody's.
            (502, "<html>Bad Gateway</html>".into(), Unknown),
            (503, "no healthy upstream".into(), NotExecuted),
            (504, String::new(), Unknown),
            (302, String::new(), NotExecuted),
            (404, "not found".into(), NotExecuted),
            (408, String::new(), Unknown),
            (400, "Bad Request".into(), Unknown),
            (400, r#"{"error":"?"}"#.into(), Unknown),
            (413, "<html>Request Entity Too Large</html>".into(), NotExecuted),
        ];
        for (status, body, outcome) in cases {
            let error = error_from_response(status, body.as_bytes());
            assert_eq!(error.outcome(), outcome, "{status} {body}: {error}");
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let auth = error_from_response(400, service("password authentication failed for user 'app'").as_bytes());
        assert!(auth.is_auth() && auth.to_string().contains("user 'app'"));
        assert_eq!(auth.code(), Some(&SqlState::INVALID_PASSWORD));
        assert_eq!(auth.to_db_error().message, "password authentication failed for user 'app'");
        assert!(error_from_response(403, b"denied").is_auth());
        assert!(error_from_response(507, service("too large").as_bytes()).is_limit());
        assert!(error_from_response(413, b"").is_limit());
        let router = error_from_response(400, br#""query is not supported""#);
        assert_eq!(router.status(), Some(400));
        assert!(router.to_string().starts_with("query is not supported"));
    }

    #[test]
    fn a_long_page_is_quoted_in_part() {
        let page = "<p>\n sorry \u{1b}[2J".repeat(1000);
        let message = error_from_response(500, page.as_bytes()).to_string();
        assert!(message.len() < 500 && !message.contains('\u{1b}'), "{message}");
    }
}
