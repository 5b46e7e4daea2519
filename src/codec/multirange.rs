//! Multiranges: a count and the ranges with their lengths in binary; `{[1,2),[5,7)}` in text, where ranges are never quoted.

use super::{Reason, Type, kind::Kind, quoting::Cursor, range, reader::Reader, value};

const MALFORMED: Reason = "a malformed multirange";

pub(super) fn text_to_binary(text: &str, range: &Type, out: &mut Vec<u8>) -> Result<(), Reason> {
    let Kind::Range(subtype) = range.kind() else { return Err("a multirange of what is no range") };
    let mut cursor = Cursor::new(text);
    if !cursor.eat(b'{') {
        return Err(MALFORMED);
    }
    let at = out.len();
    let mut count = 0_u32;
    out.extend_from_slice(&count.to_be_bytes());
    while !cursor.eat(b'}') {
        if count > 0 && !cursor.eat(b',') {
            return Err(MALFORMED);
        }
        value::push_with(out, |out| range::bounds_to_binary(&mut cursor, subtype, out).map(|()| true))?;
        count = count.checked_add(1).ok_or(MALFORMED)?;
    }
    out.get_mut(at..at + 4).ok_or(MALFORMED)?.copy_from_slice(&count.to_be_bytes());
    if cursor.is_at_end() { Ok(()) } else { Err(MALFORMED) }
}

pub(super) fn binary_to_text(binary: &[u8], range: &Type, out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let count = reader.u32()?;
    out.push('{');
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        let binary = value::take(&mut reader)?.ok_or("a multirange with a null")?;
        range.kind().binary_to_text(binary, out)?;
    }
    out.push('}');
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::super::Type;

    #[test]
    fn all_ranges_are_read() {
        let int4multirange = Type::builtin(4451).unwrap();
        let binary = |text: &str| {
            let mut binary = Vec::new();
            int4multirange.text_to_binary(text, &mut binary).ok().map(|()| binary)
        };
        let text = |binary: &[u8]| {
            let mut text = String::new();
            int4multirange.binary_to_text(binary, &mut text).ok().map(|()| text)
        };
        assert_eq!(binary("{}").unwrap(), [0; 4]);
        // As PostgreSQL 15's multirange_send gives it.
        let sent = b"\0\0\0\x02\0\0\0\x09\x08\0\0\0\x04\0\0\0\x01\0\0\0\x09\x12\0\0\0\x04\0\0\0\x07";
        assert_eq!(binary("{(,1),[7,)}").unwrap(), sent);
        for printed in ["{}", "{(,1),[7,)}", "{[1,2),[3,4),[5,6)}"] {
            assert_eq!(text(&binary(printed).unwrap()).unwrap(), printed);
        }
        for wrong in ["", "{", "{,}", "{[1,2)", "{[1,2),}", "{[1,2)[3,4)}", "{empty}", "[1,2)", "{[1,2)} "] {
            assert_eq!(binary(wrong), None, "{wrong}");
        }
        assert_eq!(text(b"\xff\xff\xff\xff"), None);
        assert_eq!(text(b"\0\0\0\x01\xff\xff\xff\xff"), None);
        assert_eq!(text(b"\0\0\0\0\0"), None);
    }
}
