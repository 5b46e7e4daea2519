use std::borrow::Cow;

use super::{
    Error, array,
    base::Base,
    builtin::{builtin_element, builtin_name},
    json,
};
use crate::Oid;

/// How values of one type are converted: looked up once for a column or a parameter, then used for every row.
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
    name: Cow<'static, str>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Base(Base),
    Array { element: Oid, base: Base },
}

impl Type {
    /// Returns the conversion of a built-in type; `None` for an OID that is none, or one that the codec does not convert.
    pub fn builtin(oid: Oid) -> Option<Self> {
        let name = Cow::Borrowed(builtin_name(oid)?);
        if let Some(base) = Base::of(oid) {
            return Some(Self { oid, name, kind: Kind::Base(base) });
        }
        let element = builtin_element(oid).filter(|_| !array::is_vector(oid))?;
        Some(Self { oid, name, kind: Kind::Array { element, base: Base::of(element)? } })
    }

    /// Returns the type's OID.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// Returns the type's name as a cast takes it: qualified, and quoted where needed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what stands before the text in the binary form of a type whose binary form is its text.
    pub fn text_prefix(&self) -> Option<&'static [u8]> {
        match self.kind {
            Kind::Base(Base::Text) => Some(&[]),
            Kind::Base(Base::Jsonb) => Some(&[json::VERSION]),
            _ => None,
        }
    }

    /// Appends the binary form of `text` to `out`, without a length before it.
    ///
    /// # Errors
    ///
    /// A text that is not of the type; what was appended to `out` until then has no meaning.
    pub fn text_to_binary(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let result = match self.kind {
            Kind::Base(base) => base.text_to_binary(text, out),
            Kind::Array { element, base } => array::text_to_binary(text, element, base, out),
        };
        result.map_err(|reason| Error::of_text(self.name.clone(), reason, text))
    }

    /// Appends the text form of `binary` to `out`.
    ///
    /// # Errors
    ///
    /// Bytes that are not of the type; what was appended to `out` until then has no meaning.
    pub fn binary_to_text(&self, binary: &[u8], out: &mut String) -> Result<(), Error> {
        let result = match self.kind {
            Kind::Base(base) => base.binary_to_text(binary, out),
            Kind::Array { element, base } => array::binary_to_text(binary, element, base, out),
        };
        result.map_err(|reason| Error::of_binary(self.name.clone(), reason, binary))
    }
}
