use std::fmt;

use crate::Oid;

/// A type whose values have no conversion between text and binary.
///
/// It names the type, which may be one that the wanted type is made of, and the remedy.
///
/// # Example
///
/// ```
/// use pgferry::codec::Catalogue;
///
/// let error = Catalogue::default().conversion(16400, None).unwrap_err();
/// assert!(error.is_unknown());
/// assert_eq!(error.oid(), 16400);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconvertible {
    oid: Oid,
    name: String,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Unknown,
    NeedsNames,
    Record,
    Internal,
    NoBinaryForm,
    Unsupported,
    TooDeep,
}

impl Unconvertible {
    pub(super) fn new(oid: Oid, name: String, why: Why) -> Self {
        Self { oid, name, why }
    }

    /// Returns the OID of the type that is the reason: the wanted one or one that it is made of.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// Returns whether the catalogue does not have the type: it is to be loaded or refreshed.
    pub fn is_unknown(&self) -> bool {
        self.why == Why::Unknown
    }

    /// Returns whether the type's values are names of the database's objects: [`RegNames`](super::RegNames) are to be loaded.
    pub fn needs_names(&self) -> bool {
        self.why == Why::NeedsNames
    }

    /// Returns whether it is `record`, whose text does not say which types its fields have.
    pub fn is_anonymous_record(&self) -> bool {
        self.why == Why::Record
    }

    /// Returns whether the type is for the server's own use.
    pub fn is_internal(&self) -> bool {
        self.why == Why::Internal
    }

    /// Returns whether Postgres itself has no binary form of the type.
    pub fn has_no_binary_form(&self) -> bool {
        self.why == Why::NoBinaryForm
    }
}

impl fmt::Display for Unconvertible {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { oid, name, why } = self;
        match why {
            Why::Unknown => write!(
                formatter,
                "the type with the OID {oid} is not in the catalogue that was loaded: load it again, cast the value to text, or use \
                 transport=websocket"
            ),
            Why::NeedsNames => write!(
                formatter,
                "the values of the type {name} are names of the database's objects, which were not loaded: load them, or cast the value \
                 to oid"
            ),
            Why::Record => write!(
                formatter,
                "the text of an anonymous record ({name}) does not say which types its fields have: cast it to a named composite type, \
                 select the fields one by one, or use transport=websocket"
            ),
            Why::Internal => write!(
                formatter,
                "the type {name} is for the server's own use: cast the value to text, or use transport=websocket"
            ),
            Why::NoBinaryForm => write!(formatter, "the type {name} has no binary form: cast the value to text"),
            Why::Unsupported => write!(
                formatter,
                "pgferry does not know the binary form of the type {name}: cast the value to text, or use transport=websocket"
            ),
            Why::TooDeep => write!(
                formatter,
                "the type {name} is nested too deeply: cast the value to text, or use transport=websocket"
            ),
        }
    }
}

impl std::error::Error for Unconvertible {}
