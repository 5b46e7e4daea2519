use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use crate::error::{DbError, SqlState};

/// An error's JSON: the same 17 keys always, absent ones null, except that `code` and `severity` are empty strings where
/// the error did not come from Postgres.
///
/// Reading tolerates missing and unknown keys, and numbers where the reference sends strings of digits.
///
/// # Example
///
/// ```
/// use pgferry::{DbError, SqlState, http::wire::ErrorBody};
///
/// let error = DbError::new("ERROR", Some(SqlState::SYNTAX_ERROR), "syntax error at or near \"SELEC\"");
/// let json = serde_json::to_string(&ErrorBody::from(&error))?;
/// assert!(json.starts_with(r#"{"message":"syntax error at or near \"SELEC\"","code":"42601","detail":null,"#));
/// assert_eq!(DbError::from(serde_json::from_str::<ErrorBody>(&json)?), error);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The primary message, the one key that an error must have.
    pub message: String,
    /// The SQLSTATE; empty where the error did not come from Postgres.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub code: String,
    /// More about the problem.
    #[serde(default)]
    pub detail: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// The place in the statement's text: a count of characters from 1.
    #[serde(default, deserialize_with = "text_or_number")]
    pub position: Option<String>,
    /// The place in the internal query's text: a count of characters from 1.
    #[serde(default, deserialize_with = "text_or_number")]
    pub internal_position: Option<String>,
    /// The text of a failed query that Postgres made itself.
    #[serde(default)]
    pub internal_query: Option<String>,
    /// `ERROR`, `FATAL` or `PANIC`; empty where the error did not come from Postgres.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub severity: String,
    /// The context in which the error occurred.
    #[serde(default, rename = "where")]
    pub where_: Option<String>,
    /// The table that the error is about.
    #[serde(default)]
    pub table: Option<String>,
    /// The column that the error is about.
    #[serde(default)]
    pub column: Option<String>,
    /// The schema that the error is about.
    #[serde(default)]
    pub schema: Option<String>,
    /// The data type that the error is about.
    #[serde(default)]
    pub data_type: Option<String>,
    /// The constraint that the error is about.
    #[serde(default)]
    pub constraint: Option<String>,
    /// The file of Postgres's source that reported it.
    #[serde(default)]
    pub file: Option<String>,
    /// The line in that file.
    #[serde(default, deserialize_with = "text_or_number")]
    pub line: Option<String>,
    /// The routine in that file.
    #[serde(default)]
    pub routine: Option<String>,
}

impl ErrorBody {
    /// Makes the body of an error that did not come from Postgres.
    #[must_use]
    pub fn from_message(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

impl From<&DbError> for ErrorBody {
    fn from(error: &DbError) -> Self {
        Self {
            message: error.message.clone(),
            code: error.code().map(|code| code.as_str().to_owned()).unwrap_or_default(),
            detail: error.detail.clone(),
            hint: error.hint.clone(),
            position: error.position.map(|position| position.to_string()),
            internal_position: error.internal_position.map(|position| position.to_string()),
            internal_query: error.internal_query.clone(),
            severity: error.severity.clone(),
            where_: error.where_.clone(),
            table: error.table.clone(),
            column: error.column.clone(),
            schema: error.schema.clone(),
            data_type: error.data_type.clone(),
            constraint: error.constraint.clone(),
            file: error.file.clone(),
            line: error.line.map(|line| line.to_string()),
            routine: error.routine.clone(),
        }
    }
}

impl From<ErrorBody> for DbError {
    fn from(body: ErrorBody) -> Self {
        let code = (!body.code.is_empty()).then(|| SqlState::from_code(&body.code));
        let mut error = Self::new(&body.severity, code, body.message);
        error.detail = body.detail;
        error.hint = body.hint;
        error.position = number(body.position);
        error.internal_position = number(body.internal_position);
        error.internal_query = body.internal_query;
        error.where_ = body.where_;
        error.schema = body.schema;
        error.table = body.table;
        error.column = body.column;
        error.data_type = body.data_type;
        error.constraint = body.constraint;
        error.file = body.file;
        error.line = number(body.line);
        error.routine = body.routine;
        error
    }
}

/// A position that is no number says nothing about the error, and must not hide it.
fn number(text: Option<String>) -> Option<u32> {
    text.and_then(|text| text.parse().ok())
}

fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("expected a string or a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAISED: &str = concat!(
        r#"{"message":"custom failure 42","code":"ZX123","detail":"the detail","hint":"the hint","position":"14","#,
        r#""internalPosition":"1","internalQuery":"SELEC 1","severity":"ERROR","where":"PL/pgSQL function","#,
        r#""table":"users","column":"email","schema":"public","dataType":"text","constraint":"users_email_key","#,
        r#""file":"pl_exec.c","line":"3891","routine":"exec_stmt_raise"}"#
    );

    #[test]
    fn all_17_keys_survive_a_round_trip() {
        let body: ErrorBody = serde_json::from_str(RAISED).unwrap();
        let error = DbError::from(body);
        assert_eq!((error.position, error.internal_position, error.line), (Some(14), Some(1), Some(3891)));
        assert_eq!(serde_json::to_string(&ErrorBody::from(&error)).unwrap(), RAISED);
    }

    #[test]
    fn an_error_that_is_not_from_postgres_has_an_empty_code_and_severity() {
        let json = serde_json::to_string(&ErrorBody::from_message("missing username")).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"message":"missing username","code":"","detail":null,"hint":null,"position":null,"#,
                r#""internalPosition":null,"internalQuery":null,"severity":"","where":null,"table":null,"column":null,"#,
                r#""schema":null,"dataType":null,"constraint":null,"file":null,"line":null,"routine":null}"#
            )
        );
    }

    #[test]
    fn foreign_spellings_are_tolerated() {
        let body: ErrorBody =
            serde_json::from_str(r#"{"message":"m","code":null,"position":7,"length":99,"name":"error"}"#).unwrap();
        let error = DbError::from(body);
        assert_eq!((error.code(), error.position), (None, Some(7)));
    }
}
