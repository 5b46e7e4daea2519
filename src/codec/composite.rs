//! Composites and rows: each attribute with its type's OID in binary, `(1,"a b",,"")` in text; a null is nothing at all.

use super::{
    Reason, Type,
    quoting::{Cursor, quote_from},
    reader::Reader,
    value,
};

const MALFORMED: Reason = "a malformed composite";
const OTHER_ATTRIBUTES: Reason = "a composite of other attributes than its type's";

pub(super) fn text_to_binary(text: &str, attributes: &[Type], out: &mut Vec<u8>) -> Result<(), Reason> {
    out.extend_from_slice(&u32::try_from(attributes.len()).map_err(|_| MALFORMED)?.to_be_bytes());
    let mut cursor = Cursor::new(text);
    if !cursor.eat(b'(') {
        return Err(MALFORMED);
    }
    for (index, attribute) in attributes.iter().enumerate() {
        if index > 0 && !cursor.eat(b',') {
            return Err(OTHER_ATTRIBUTES);
        }
        out.extend_from_slice(&attribute.oid().to_be_bytes());
        let part = cursor.part(|byte| matches!(byte, b',' | b')'))?;
        value::push_binary(part.as_deref(), attribute, out)?;
    }
    if !cursor.eat(b')') {
        return Err(OTHER_ATTRIBUTES);
    }
    if cursor.is_at_end() { Ok(()) } else { Err(MALFORMED) }
}

pub(super) fn binary_to_text(binary: &[u8], attributes: &[Type], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    if usize::try_from(reader.u32()?) != Ok(attributes.len()) {
        return Err(OTHER_ATTRIBUTES);
    }
    out.push('(');
    for (index, attribute) in attributes.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        value::check_oid(reader.u32()?, attribute).map_err(|_| OTHER_ATTRIBUTES)?;
        if let Some(binary) = value::take(&mut reader)? {
            let start = out.len();
            attribute.kind().binary_to_text(binary, out)?;
            quote_from(start, |byte| matches!(byte, b',' | b'(' | b')'), out)?;
        }
    }
    out.push(')');
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::super::{Attribute, Catalogue, Definition, DefinitionKind, Type};

    /// `create type inner_c as (a int, b text); create type outer_c as (i inner_c, l inner_c[], d numeric)`.
    fn outer() -> Type {
        let composite = |oid, types: &[u32]| {
            let attributes = types.iter().map(|&type_oid| Attribute { name: "a".to_owned(), type_oid }).collect();
            Definition {
                oid,
                schema: "public".to_owned(),
                name: format!("c{oid}"),
                array: 0,
                kind: DefinitionKind::Composite { attributes },
            }
        };
        let array = Definition {
            oid: 0x400f,
            schema: "public".to_owned(),
            name: "_inner_c".to_owned(),
            array: 0,
            kind: DefinitionKind::Array { element: 0x4010, delimiter: b',' },
        };
        let catalogue =
            Catalogue::new([composite(0x4010, &[23, 25]), array, composite(0x4013, &[0x4010, 0x400f, 1700])]);
        catalogue.conversion(0x4013, None).unwrap()
    }

    fn binary(text: &str) -> Option<Vec<u8>> {
        let mut binary = Vec::new();
        outer().text_to_binary(text, &mut binary).ok().map(|()| binary)
    }

    fn text(binary: &[u8]) -> Option<String> {
        let mut text = String::new();
        outer().binary_to_text(binary, &mut text).ok().map(|()| text)
    }

    #[test]
    fn nested_ones_are_postgres_own() {
        // As PostgreSQL 15's record_out and record_send give it.
        let printed = r#"("(1,""x""""y"")","{""(2,\\""\\"")"",NULL,""(,)""}",)"#;
        let sent = "00000003\
            00004010 0000001b 00000002 00000017 00000004 00000001 00000019 00000003 782279\
            0000400f 0000004c 00000001 00000001 00004010 00000003 00000001\
            00000018 00000002 00000017 00000004 00000002 00000019 00000000\
            ffffffff\
            00000014 00000002 00000017 ffffffff 00000019 ffffffff\
            000006a4 ffffffff"
            .replace(' ', "");
        let sent: Vec<u8> =
            (0..sent.len()).step_by(2).map(|at| u8::from_str_radix(&sent[at..at + 2], 16).unwrap()).collect();
        assert_eq!(binary(printed).unwrap(), sent);
        assert_eq!(text(&sent).unwrap(), printed);
        for end in 0..sent.len() {
            assert_eq!(text(&sent[..end]), None);
        }
        for (end, _) in printed.char_indices() {
            assert_eq!(binary(&printed[..end]), None);
        }
    }

    #[test]
    fn other_attributes_are_an_error() {
        assert!(binary("(,,)").is_some());
        for text in ["()", "(,)", "(,,,)", "(,,) ", " (,,)", "(,,", ",,", "(,,x)", "(\"(1,a,)\",,)"] {
            assert_eq!(binary(text), None, "{text}");
        }
        let fields = |fields: &[i32]| text(&fields.iter().flat_map(|field| field.to_be_bytes()).collect::<Vec<_>>());
        assert_eq!(fields(&[3, 0x4010, -1, 0x400f, -1, 1700, -1]).unwrap(), "(,,)");
        // Postgres compares the OIDs of built-in types only.
        assert_eq!(fields(&[3, 0x5010, -1, 0x500f, -1, 1700, -1]).unwrap(), "(,,)");
        assert_eq!(fields(&[3, 0x4010, -1, 0x400f, -1, 1701, -1]), None);
        assert_eq!(fields(&[2, 0x4010, -1, 0x400f, -1]), None);
        assert_eq!(fields(&[3, 0x4010, -1, 0x400f, -1, 1700, -2]), None);
        assert_eq!(fields(&[-1]), None);
    }
}
