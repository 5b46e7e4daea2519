use crate::Oid;

/// A `Parse` (manual, section 55.7).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parse<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) param_types: Vec<Oid>,
}

impl<'a> Parse<'a> {
    /// Reads a whole one; `None` for one that the server will not take, or whose text is not UTF-8.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let (name, rest) = name(body)?;
        let (text, rest) = name_or_text(rest)?;
        let (count, types) = rest.split_first_chunk()?;
        let (types, []) = types.as_chunks() else { return None };
        if types.len() != usize::from(u16::from_be_bytes(*count)) {
            return None;
        }
        Some(Self { name, text, param_types: types.iter().map(|oid| Oid::from_be_bytes(*oid)).collect() })
    }
}

/// The name that a message begins with, and the rest.
pub(super) fn name(body: &[u8]) -> Option<(&str, &[u8])> {
    name_or_text(body)
}

/// The kind and name of what a `Describe` or `Close` is about.
pub(super) fn target(body: &[u8]) -> Option<(u8, &str)> {
    let (kind, rest) = body.split_first()?;
    let (name, []) = name(rest)? else { return None };
    Some((*kind, name))
}

/// The text of a simple query, if it is all there.
pub(super) fn query(body: &[u8]) -> Option<&str> {
    let (text, []) = name_or_text(body)? else { return None };
    Some(text)
}

/// Where in a `RowDescription` the types of the columns stand, and what they are.
pub(super) fn column_types(body: &[u8]) -> Option<Vec<(usize, Oid)>> {
    /// Behind a name: the table's OID, the column's number, the type's OID, its size, its modifier, the format.
    const FIXED: usize = 18;
    const TYPE_AT: usize = 6;
    let (count, _) = body.split_first_chunk()?;
    let mut at = 2;
    let mut types = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let name = body.get(at..)?.iter().position(|byte| *byte == 0)?;
        let fixed = at + name + 1;
        let place = fixed + TYPE_AT;
        types.push((place, Oid::from_be_bytes(*body.get(place..)?.first_chunk()?)));
        at = fixed + FIXED;
    }
    body.get(at..)?;
    Some(types)
}

fn name_or_text(body: &[u8]) -> Option<(&str, &[u8])> {
    let end = body.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(body.get(..end)?).ok()?, body.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use postgres_protocol::message::frontend;

    use super::*;
    use crate::wire::{Column, Format, server};

    #[test]
    fn heads_are_read_as_they_are_written() {
        let mut out = BytesMut::new();
        frontend::parse("s", "select $1", [25, 0], &mut out).unwrap();
        let expected = Parse { name: "s", text: "select $1", param_types: vec![25, 0] };
        assert_eq!(Parse::read(&out[5..]), Some(expected));
        for length in 5..out.len() {
            assert_eq!(Parse::read(&out[5..length]), None);
        }
        out.clear();
        frontend::describe(b'S', "s", &mut out).unwrap();
        assert_eq!(target(&out[5..]), Some((b'S', "s")));
        assert_eq!(target(b"Ss\0more"), None);
        out.clear();
        frontend::query("select 1", &mut out).unwrap();
        assert_eq!(query(&out[5..]), Some("select 1"));
        assert_eq!(query(b"select 1"), None);
    }

    #[test]
    fn the_types_of_columns_are_read() {
        let column = |type_oid| Column {
            name: "a".to_owned(),
            table_oid: 1,
            column_id: 2,
            type_oid,
            type_size: -1,
            type_modifier: -1,
        };
        let mut out = BytesMut::new();
        server::row_description(&mut out, &[column(25), column(16_401)], Format::Binary);
        let types = column_types(&out[5..]).unwrap();
        assert_eq!(types.iter().map(|(_, oid)| *oid).collect::<Vec<_>>(), [25, 16_401]);
        for (place, oid) in types {
            assert_eq!(out[5 + place..][..4], oid.to_be_bytes());
        }
        for length in 5..out.len() {
            assert_eq!(column_types(&out[5..length]), None);
        }
    }
}
