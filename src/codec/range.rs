//! Ranges: flags and the finite bounds in binary; `[1,5)`, `(,"a b"]` or `empty` in text.

use super::{
    Reason, Type,
    quoting::{Cursor, quote_from},
    reader::Reader,
    value,
};

const MALFORMED: Reason = "a malformed range";

/// The flags of `range_send`; Postgres ignores all others.
const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

pub(super) fn text_to_binary(text: &str, subtype: &Type, out: &mut Vec<u8>) -> Result<(), Reason> {
    if text == "empty" {
        out.push(EMPTY);
        return Ok(());
    }
    let mut cursor = Cursor::new(text);
    bounds_to_binary(&mut cursor, subtype, out)?;
    if cursor.is_at_end() { Ok(()) } else { Err(MALFORMED) }
}

/// Reads one range, not an empty one, from brace to brace.
pub(super) fn bounds_to_binary(cursor: &mut Cursor<'_>, subtype: &Type, out: &mut Vec<u8>) -> Result<(), Reason> {
    let ends = |byte: u8| matches!(byte, b',' | b')' | b']');
    let at = out.len();
    out.push(0);
    let lower_inclusive = cursor.eat(b'[');
    if !lower_inclusive && !cursor.eat(b'(') {
        return Err(MALFORMED);
    }
    let lower = cursor.part(ends)?;
    let mut flags =
        bound_to_binary(lower.as_deref(), subtype, lower_inclusive, [LOWER_INCLUSIVE, LOWER_INFINITE], out)?;
    if !cursor.eat(b',') {
        return Err(MALFORMED);
    }
    let upper = cursor.part(ends)?;
    let upper_inclusive = cursor.eat(b']');
    if !upper_inclusive && !cursor.eat(b')') {
        return Err(MALFORMED);
    }
    flags |= bound_to_binary(upper.as_deref(), subtype, upper_inclusive, [UPPER_INCLUSIVE, UPPER_INFINITE], out)?;
    *out.get_mut(at).ok_or(MALFORMED)? = flags;
    Ok(())
}

/// Appends a bound unless it is infinite, and returns its flag.
fn bound_to_binary(
    bound: Option<&str>,
    subtype: &Type,
    inclusive: bool,
    [inclusive_flag, infinite_flag]: [u8; 2],
    out: &mut Vec<u8>,
) -> Result<u8, Reason> {
    if bound.is_none() {
        return Ok(infinite_flag);
    }
    value::push_binary(bound, subtype, out)?;
    Ok(if inclusive { inclusive_flag } else { 0 })
}

pub(super) fn binary_to_text(binary: &[u8], subtype: &Type, out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let flags = reader.u8()?;
    if flags & EMPTY != 0 {
        out.push_str("empty");
        return reader.finish();
    }
    // Postgres makes an infinite bound an exclusive one.
    let has = |flag| flags & flag != 0;
    out.push(if has(LOWER_INCLUSIVE) && !has(LOWER_INFINITE) { '[' } else { '(' });
    if !has(LOWER_INFINITE) {
        bound_to_text(&mut reader, subtype, out)?;
    }
    out.push(',');
    if !has(UPPER_INFINITE) {
        bound_to_text(&mut reader, subtype, out)?;
    }
    out.push(if has(UPPER_INCLUSIVE) && !has(UPPER_INFINITE) { ']' } else { ')' });
    reader.finish()
}

fn bound_to_text(reader: &mut Reader<'_>, subtype: &Type, out: &mut String) -> Result<(), Reason> {
    let binary = value::take(reader)?.ok_or("a range with a null bound")?;
    let start = out.len();
    subtype.kind().binary_to_text(binary, out)?;
    quote_from(start, |byte| matches!(byte, b',' | b'(' | b')' | b'[' | b']'), out)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Definition, DefinitionKind, Type};

    const TEXT_RANGE: u32 = 20000;

    fn of(oid: u32) -> Type {
        let definition = Definition {
            oid: TEXT_RANGE,
            schema: "public".to_owned(),
            name: "textrange".to_owned(),
            array: 0,
            kind: DefinitionKind::Range { subtype: 25 },
        };
        Catalogue::new([definition]).conversion(oid, None).unwrap()
    }

    fn binary(oid: u32, text: &str) -> Option<Vec<u8>> {
        let mut binary = Vec::new();
        of(oid).text_to_binary(text, &mut binary).ok().map(|()| binary)
    }

    fn text(oid: u32, binary: &[u8]) -> Option<String> {
        let mut text = String::new();
        of(oid).binary_to_text(binary, &mut text).ok().map(|()| text)
    }

    #[test]
    fn bounds_are_postgres_own() {
        // As PostgreSQL 15's range_out and range_send give them.
        for (printed, sent) in [
            ("empty", b"\x01".as_slice()),
            ("(,)", b"\x18"),
            ("(,é)", b"\x08\0\0\0\x02\xc3\xa9"),
            (r#"["a b","c""\\d")"#, b"\x02\0\0\0\x03a b\0\0\0\x04c\"\\d"),
            (r#"["","(")"#, b"\x02\0\0\0\0\0\0\0\x01("),
        ] {
            assert_eq!(binary(TEXT_RANGE, printed).unwrap(), sent, "{printed}");
            assert_eq!(text(TEXT_RANGE, sent).unwrap(), printed);
        }
        assert_eq!(binary(3904, "[1,5)").unwrap(), b"\x02\0\0\0\x04\0\0\0\x01\0\0\0\x04\0\0\0\x05");
        assert_eq!(binary(3904, "[,5]").unwrap(), b"\x0c\0\0\0\x04\0\0\0\x05");
    }

    #[test]
    fn other_texts_are_errors() {
        for text in ["", "EMPTY", "[", "[1", "[1,", "[1,2", "[1)", "1,2", "[1,2)x", "[1,2,3)", "{1,2}", "[a,b)"] {
            assert_eq!(binary(3904, text), None, "{text}");
        }
    }

    #[test]
    fn flags_are_read_as_postgres_does() {
        assert_eq!(text(3904, b"\x1e").unwrap(), "(,)");
        assert_eq!(text(3904, b"\xf8").unwrap(), "(,)");
        assert_eq!(text(3904, b"\xff").unwrap(), "empty");
        assert_eq!(text(3904, b"\x01\0"), None);
        assert_eq!(text(3904, b"\x08"), None);
        assert_eq!(text(3904, b"\x08\xff\xff\xff\xff"), None);
        assert_eq!(text(3904, b""), None);
    }
}
