use anyhow::Result;
use pgferry::{Oid, codec::Type};

use crate::{tcp::Connection, types::Types};

/// What the codec must know of a database.
#[derive(Debug)]
pub(crate) struct Codec;

impl Codec {
    pub(crate) fn load(_connection: &mut Connection, _types: &Types) -> Result<Self> {
        Ok(Self)
    }

    /// Returns a type's conversion, or why there is none.
    pub(crate) fn conversion(&self, oid: Oid) -> Result<Type, String> {
        Type::builtin(oid).ok_or_else(|| "unconvertible".to_owned())
    }
}
