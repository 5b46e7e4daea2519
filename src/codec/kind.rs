use std::sync::Arc;

use super::{
    Reason, RegNames, Type,
    array::{self, Array},
    base::Base,
    composite, multirange, range, reg_names,
};
use crate::Oid;

/// What a conversion does; a domain's is that of the type below it.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Base(Base),
    Array(Arc<Array>),
    /// With the attributes' types.
    Composite(Arc<[Type]>),
    /// With the ranges' type.
    Multirange(Arc<Type>),
    /// With the bounds' type.
    Range(Arc<Type>),
    /// Of that reg* type.
    Reg(Oid, Arc<RegNames>),
}

impl Kind {
    #[inline]
    pub(super) fn text_to_binary(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
        match self {
            Self::Base(base) => base.text_to_binary(text, out),
            Self::Array(array) => array::text_to_binary(text, array, out),
            Self::Composite(attributes) => composite::text_to_binary(text, attributes, out),
            Self::Multirange(range) => multirange::text_to_binary(text, range, out),
            Self::Range(subtype) => range::text_to_binary(text, subtype, out),
            Self::Reg(oid, names) => reg_names::text_to_binary(text, *oid, names, out),
        }
    }

    #[inline]
    pub(super) fn binary_to_text(&self, binary: &[u8], out: &mut String) -> Result<(), Reason> {
        match self {
            Self::Base(base) => base.binary_to_text(binary, out),
            Self::Array(array) => array::binary_to_text(binary, array, out),
            Self::Composite(attributes) => composite::binary_to_text(binary, attributes, out),
            Self::Multirange(range) => multirange::binary_to_text(binary, range, out),
            Self::Range(subtype) => range::binary_to_text(binary, subtype, out),
            Self::Reg(oid, names) => reg_names::binary_to_text(binary, *oid, names, out),
        }
    }

    /// Whether it is a composite or made of one.
    pub(super) fn has_composite(&self) -> bool {
        match self {
            Self::Base(_) | Self::Reg(..) => false,
            Self::Composite(_) => true,
            Self::Array(array) => array.element.kind().has_composite(),
            Self::Multirange(part) | Self::Range(part) => part.kind().has_composite(),
        }
    }
}
