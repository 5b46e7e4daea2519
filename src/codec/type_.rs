use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use super::{Catalogue, Error, base::Base, builtin_name, json, kind::Kind};
use crate::Oid;

/// How values of one type are converted: looked up once for a column or a parameter, then used for every row.
///
/// The user's own types, and what is made of them, come from a [`Catalogue`]. A clone costs little.
///
/// # Example
///
/// ```
/// use pgferry::codec::Type;
///
/// let array = Type::builtin(1007).unwrap();
/// let mut binary = Vec::new();
/// array.text_to_binary("{1,NULL}", &mut binary)?;
/// assert_eq!(binary.len(), 32);
///
/// let mut text = String::new();
/// array.binary_to_text(&binary, &mut text)?;
/// assert_eq!(text, "{1,NULL}");
///
/// let mut rest = Vec::new();
/// assert!(array.text_to_binary("{1,", &mut rest).is_err());
/// # Ok::<(), pgferry::codec::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Type {
    oid: Oid,
    name: Name,
    kind: Kind,
}

#[derive(Clone)]
pub(super) enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Type {
    /// Returns the conversion of a built-in type that needs no more than its OID.
    ///
    /// `None` for the OID of a user's type, for `regclass` and its like, and for what has no conversion at all:
    /// [`Catalogue::conversion`] tells these apart.
    pub fn builtin(oid: Oid) -> Option<Self> {
        static BUILTIN: LazyLock<Catalogue> = LazyLock::new(Catalogue::default);
        match Base::of(oid) {
            Some(base) => Some(Self { oid, name: Name::Static(builtin_name(oid)?), kind: Kind::Base(base) }),
            None => BUILTIN.conversion(oid, None).ok(),
        }
    }

    pub(super) fn new(oid: Oid, name: Name, kind: Kind) -> Self {
        Self { oid, name, kind }
    }

    /// Returns the type's OID.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// Returns the type's name as a cast takes it: qualified, and quoted where needed.
    pub fn name(&self) -> &str {
        match &self.name {
            Name::Static(name) => name,
            Name::Shared(name) => name,
        }
    }

    /// Returns whether the type is, or is made of, a composite: its attributes can change under the same OID, so that a failed
    /// conversion may only mean that the catalogue is too old.
    pub fn can_change(&self) -> bool {
        self.kind.has_composite()
    }

    /// Returns what stands before the text in the binary form of a type whose binary form is its text.
    pub fn text_prefix(&self) -> Option<&'static [u8]> {
        match self.kind {
            Kind::Base(Base::Name | Base::Text | Base::Xml) => Some(&[]),
            Kind::Base(Base::Jsonb) => Some(&[json::VERSION]),
            _ => None,
        }
    }

    /// Appends the binary form of `text` to `out`, without a length before it.
    ///
    /// # Errors
    ///
    /// A text that is not of the type; what was appended to `out` until then has no meaning.
    #[inline]
    pub fn text_to_binary(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        self.kind.text_to_binary(text, out).map_err(|reason| Error::of_text(self.name(), reason, text))
    }

    /// Appends the text form of `binary` to `out`.
    ///
    /// # Errors
    ///
    /// Bytes that are not of the type; what was appended to `out` until then has no meaning.
    #[inline]
    pub fn binary_to_text(&self, binary: &[u8], out: &mut String) -> Result<(), Error> {
        self.kind.binary_to_text(binary, out).map_err(|reason| Error::of_binary(self.name(), reason, binary))
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) fn into_kind(self) -> Kind {
        self.kind
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(name) => fmt::Debug::fmt(name, formatter),
            Self::Shared(name) => fmt::Debug::fmt(name, formatter),
        }
    }
}
