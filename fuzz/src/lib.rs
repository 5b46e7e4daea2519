//! What several fuzz targets share.

use std::sync::OnceLock;

use pgferry::codec::{Attribute, Catalogue, Definition, DefinitionKind, Type};

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

/// Every type that the codec knows without a catalogue, and those of one, by OID.
fn types() -> &'static [Type] {
    static TYPES: OnceLock<Vec<Type>> = OnceLock::new();
    TYPES.get_or_init(|| {
        let catalogue = catalogue();
        let mut oids: Vec<_> = catalogue.definitions().map(|definition| definition.oid).collect();
        oids.sort_unstable();
        let own = oids.into_iter().filter_map(|oid| catalogue.conversion(oid, None).ok());
        (1..10_000).filter_map(Type::builtin).chain(own).collect()
    })
}

/// A type of each kind, and such as hold others.
fn catalogue() -> Catalogue {
    use DefinitionKind::{Array, Composite, Domain, Enum, Multirange, Range};

    let labels = ["happy", "", "a,b", "NULL", "\"q\\", "ü"].map(str::to_owned).to_vec();
    let attribute = |name: &str, type_oid| Attribute { name: name.to_owned(), type_oid };
    let point = vec![attribute("x", 23), attribute("label", 25), attribute("tags", 1009)];
    let nested = vec![attribute("at", 16_402), attribute("moods", 16_401), attribute("span", 3906), attribute("box", 603)];
    let kinds = [
        (16_400, "mood", 16_401, Enum { labels }),
        (16_401, "_mood", 0, Array { element: 16_400, delimiter: b',' }),
        (16_402, "point", 16_403, Composite { attributes: point }),
        (16_403, "_point", 0, Array { element: 16_402, delimiter: b',' }),
        (16_404, "nested", 16_405, Composite { attributes: nested }),
        (16_405, "_nested", 0, Array { element: 16_404, delimiter: b',' }),
        (16_406, "text_range", 16_407, Range { subtype: 25 }),
        (16_407, "_text_range", 0, Array { element: 16_406, delimiter: b',' }),
        (16_408, "text_multirange", 0, Multirange { range: 16_406 }),
        (16_409, "point_range", 0, Range { subtype: 16_402 }),
        (16_410, "amount", 16_411, Domain { base: 1700 }),
        (16_411, "_amount", 0, Array { element: 16_410, delimiter: b',' }),
        (16_412, "points", 0, Domain { base: 16_403 }),
        (16_413, "empty", 0, Composite { attributes: Vec::new() }),
    ];
    Catalogue::new(kinds.map(|(oid, name, array, kind)| Definition {
        oid,
        schema: "public".to_owned(),
        name: name.to_owned(),
        array,
        kind,
    }))
}
