//! What several fuzz targets share.

use std::sync::OnceLock;

use pgferry::codec::Type;

/// Splits an input into the type that its first two bytes choose and the rest: an OID, or anything to choose among all.
#[must_use]
pub fn typed(data: &[u8]) -> Option<(&'static Type, &[u8])> {
    let (chosen, rest) = data.split_first_chunk()?;
    let chosen = u16::from_le_bytes(*chosen);
    let types = types();
    let exact = types.binary_search_by_key(&u32::from(chosen), Type::oid);
    let index = exact.unwrap_or(usize::from(chosen) % types.len());
    Some((types.get(index)?, rest))
}

/// Every type that the codec knows without a catalogue, by OID.
fn types() -> &'static [Type] {
    static TYPES: OnceLock<Vec<Type>> = OnceLock::new();
    TYPES.get_or_init(|| (1..10_000).filter_map(Type::builtin).collect())
}
