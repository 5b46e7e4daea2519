use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{Oid, wire::Format};

/// A statement with everything that its execution needs, owned so that it can cross to another thread.
///
/// # Example
///
/// ```
/// use pgferry::execute::Statement;
///
/// const INT4: u32 = 23;
/// let statement = Statement::new("select $1 + 1").param(INT4, Some(41_i32.to_be_bytes().to_vec().into()));
/// assert_eq!(statement.param_types, [INT4]);
/// ```
#[derive(Clone)]
pub struct Statement {
    /// The text, with parameters as `$1`, `$2`, …
    pub text: Arc<str>,
    /// A number under which a session may keep the parsed statement; the same text and types must come with it each time.
    /// `None` parses it for this execution alone. Over HTTP nothing is kept.
    pub name: Option<u64>,
    /// The parameters' types; 0, or fewer types than parameters, leaves it to the server to infer them.
    pub param_types: Vec<Oid>,
    /// The parameters, `None` for null.
    pub params: Vec<Option<Bytes>>,
    /// The form of every parameter.
    pub param_format: Format,
    /// The form in which every column is wanted.
    pub results: Format,
}

impl Statement {
    /// Makes a statement without parameters, whose results are wanted in binary.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            name: None,
            param_types: Vec::new(),
            params: Vec::new(),
            param_format: Format::Binary,
            results: Format::Binary,
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn param(mut self, type_oid: Oid, value: Option<Bytes>) -> Self {
        self.param_types.push(type_oid);
        self.params.push(value);
        self
    }

    /// Lets the session keep the parsed statement under this number.
    #[must_use]
    pub fn named(mut self, name: u64) -> Self {
        self.name = Some(name);
        self
    }
}

/// Values may be anybody's secrets, so that only their number and size are shown.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, name, param_types, params, param_format, results } = self;
        let size: usize = params.iter().flatten().map(Bytes::len).sum();
        f.debug_struct("Statement")
            .field("text", text)
            .field("name", name)
            .field("param_types", param_types)
            .field("params", &params.len())
            .field("bytes", &size)
            .field("param_format", param_format)
            .field("results", results)
            .finish()
    }
}
