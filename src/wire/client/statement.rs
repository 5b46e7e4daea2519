use std::{borrow::Cow, fmt};

use crate::{Oid, wire::Format};

/// How a statement is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parse<'a> {
    /// As the unnamed statement, which the next one replaces.
    Unnamed,
    /// Under this name, to be executed again. A statement that this client has under the same name is closed first.
    Named(&'a str),
    /// Not at all: it was parsed under this name before.
    AlreadyNamed(&'a str),
}

/// A statement's parameters, all in the same format.
#[derive(Clone, Copy)]
pub struct Params<'a> {
    /// Text or binary.
    pub format: Format,
    /// The values, `None` for null.
    pub values: &'a [Option<Cow<'a, [u8]>>],
}

/// Shows how many there are, never their values.
impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, values } = self;
        f.debug_struct("Params").field("format", format).field("values", &values.len()).finish()
    }
}

/// One statement with its parameters, as it is sent.
///
/// # Example
///
/// ```
/// use std::borrow::Cow;
///
/// use pgferry::wire::{Format, Params, Statement};
///
/// let values = [Some(Cow::Borrowed(&b"42"[..])), None];
/// let statement = Statement {
///     param_types: &[23, 25],
///     params: Params { format: Format::Text, values: &values },
///     results: Format::Binary,
///     ..Statement::new("select $1, $2")
/// };
/// assert!(!format!("{statement:?}").contains("42"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The text; not sent where it was parsed before.
    pub text: &'a str,
    /// Whether and under which name it is parsed.
    pub parse: Parse<'a>,
    /// The parameters' types: fewer than there are parameters, or 0 each, where the server shall infer.
    pub param_types: &'a [Oid],
    /// The parameters.
    pub params: Params<'a>,
    /// The format of every column of the results.
    pub results: Format,
}

impl<'a> Statement<'a> {
    /// Makes an unnamed statement without parameters whose results come as text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            parse: Parse::Unnamed,
            param_types: &[],
            params: Params { format: Format::Text, values: &[] },
            results: Format::Text,
        }
    }
}
