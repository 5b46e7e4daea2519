use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A statement and its parameters in Postgres's text form; nothing of it is rewritten on its way.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The text, with `$1`, `$2`, … for the parameters.
    pub text: Cow<'a, str>,
    /// The values of the parameters, in order.
    pub params: Vec<Option<Cow<'a, str>>>,
}

impl<'a> Statement<'a> {
    /// Makes a statement without parameters.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), params: Vec::new() }
    }
}

/// Values may be anybody's secrets, so that only their number is shown.
impl fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, params } = self;
        f.debug_struct("Statement").field("text", text).field("params", &params.len()).finish()
    }
}

/// Serialises as `{"query": …, "params": [ … ]}`. Every parameter is a string or null: numbers, objects and arrays of JSON
/// are changed by the server on their way to Postgres.
impl Serialize for Statement<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { text, params } = self;
        let mut statement = serializer.serialize_struct("Statement", 2)?;
        statement.serialize_field("query", text)?;
        statement.serialize_field("params", params)?;
        statement.end()
    }
}

/// The body of a request.
///
/// # Example
///
/// ```
/// use pgferry::http::wire::{RequestBody, Statement};
///
/// let statement = Statement { text: "SELECT $1::int".into(), params: vec![Some("1".into())] };
/// assert_eq!(
///     serde_json::to_string(&RequestBody::Single(&statement))?,
///     r#"{"query":"SELECT $1::int","params":["1"]}"#,
/// );
/// assert_eq!(
///     serde_json::to_string(&RequestBody::Batch(&[Statement::new("SELECT 1")]))?,
///     r#"{"queries":[{"query":"SELECT 1","params":[]}]}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum RequestBody<'a> {
    /// One statement, in a transaction of its own.
    Single(&'a Statement<'a>),
    /// Statements in one transaction.
    Batch(&'a [Statement<'a>]),
}

impl Serialize for RequestBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Single(statement) => statement.serialize(serializer),
            Self::Batch(statements) => {
                let mut batch = serializer.serialize_struct("Batch", 1)?;
                batch.serialize_field("queries", statements)?;
                batch.end()
            }
        }
    }
}
