//! Postgres's values between their text and their binary form; no I/O.
mod builtin;

pub use builtin::{builtin_element, builtin_name};

use crate::Oid;

/// stub: how values of one type are converted; looked up once per column or parameter, then used for every row
#[derive(Clone, Debug)]
pub struct Type {}

impl Type {
    /// None for an OID that is not a built-in type known to the codec
    pub fn builtin(oid: Oid) -> Option<Self> {
        todo!()
    }
    /// Appends the binary form of `text` to `out` (without a length prefix)
    pub fn text_to_binary(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        todo!()
    }
    /// Appends the text form
    pub fn binary_to_text(&self, binary: &[u8], out: &mut String) -> Result<(), Error> {
        todo!()
    }
}

/// stub: a value that is not of its type's form
#[derive(Debug)]
pub struct Error {}
