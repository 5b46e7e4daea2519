//! Arrays: of any element type, up to six dimensions, with lower bounds and nulls.

use std::{borrow::Cow, fmt::Write};

use super::{
    Reason, Type,
    quoting::{Cursor, check_length, is_space},
    reader::Reader,
    value,
};

/// What an array type is made of.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) element: Type,
    /// What stands between the elements in text.
    pub(super) delimiter: u8,
}

/// Postgres's own limit.
const MAX_DIMENSIONS: usize = 6;

/// The lower and the upper one of each dimension.
type Bounds = Vec<(i32, i32)>;

const MALFORMED: Reason = "a malformed array";
const TOO_LARGE: Reason = "too large an array";
const TOO_DEEP: Reason = "an array of more than six dimensions";

pub(super) fn text_to_binary(text: &str, array: &Array, out: &mut Vec<u8>) -> Result<(), Reason> {
    let element = array.element.oid();
    let (bounds, body) = bounds(text)?;
    let depth = body.bytes().take_while(|&byte| byte == b'{').count();
    if depth > MAX_DIMENSIONS {
        return Err(TOO_DEEP);
    }
    if body == "{}" {
        if !bounds.is_empty() {
            return Err(MALFORMED);
        }
        for field in [0, 0, element] {
            out.extend_from_slice(&field.to_be_bytes());
        }
        return Ok(());
    }
    let start = out.len();
    out.resize(start + 12 + 8 * depth, 0);
    let mut parser = Parser { cursor: Cursor::new(body), array };
    let (lengths, nulls) = parser.elements(depth, out)?;

    let mut header = Vec::with_capacity(12 + 8 * depth);
    header.extend_from_slice(&u32::try_from(depth).map_err(|_| TOO_DEEP)?.to_be_bytes());
    header.extend_from_slice(&u32::from(nulls).to_be_bytes());
    header.extend_from_slice(&element.to_be_bytes());
    if !bounds.is_empty() && bounds.len() != depth {
        return Err(MALFORMED);
    }
    for (index, length) in lengths.iter().take(depth).enumerate() {
        let length = i32::try_from(*length).map_err(|_| TOO_LARGE)?;
        let (lower, upper) = bounds.get(index).copied().unwrap_or((1, length));
        if i64::from(upper) - i64::from(lower) + 1 != i64::from(length) {
            return Err("an array whose bounds are not those of its elements");
        }
        header.extend_from_slice(&length.to_be_bytes());
        header.extend_from_slice(&lower.to_be_bytes());
    }
    out.get_mut(start..start + header.len()).ok_or(MALFORMED)?.copy_from_slice(&header);
    Ok(())
}

/// Reads `[0:1][-3:-2]=` and returns what stands behind it.
fn bounds(text: &str) -> Result<(Bounds, &str), Reason> {
    let mut bounds = Vec::new();
    if !text.starts_with('[') {
        return Ok((bounds, text));
    }
    let (dimensions, body) = text.split_once('=').ok_or(MALFORMED)?;
    let inner = dimensions.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or(MALFORMED)?;
    for dimension in inner.split("][") {
        let (lower, upper) = dimension.split_once(':').ok_or(MALFORMED)?;
        bounds.push((lower.parse().map_err(|_| MALFORMED)?, upper.parse().map_err(|_| MALFORMED)?));
        if bounds.len() > MAX_DIMENSIONS {
            return Err(TOO_DEEP);
        }
    }
    Ok((bounds, body))
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    array: &'a Array,
}

impl Parser<'_> {
    /// Appends all elements and returns the dimensions' lengths and whether there was a null.
    fn elements(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<([usize; MAX_DIMENSIONS], bool), Reason> {
        let mut lengths: [Option<usize>; MAX_DIMENSIONS] = [None; MAX_DIMENSIONS];
        let mut counts = [0_usize; MAX_DIMENSIONS];
        let mut nulls = false;
        let mut level = 0;
        loop {
            while level < depth && self.cursor.eat(b'{') {
                *counts.get_mut(level).ok_or(TOO_DEEP)? = 0;
                level += 1;
            }
            if level != depth || depth == 0 {
                return Err(MALFORMED);
            }
            nulls |= self.element(out)?;
            loop {
                let inner = level.checked_sub(1).ok_or(MALFORMED)?;
                let count = counts.get_mut(inner).ok_or(TOO_DEEP)?;
                *count = count.checked_add(1).ok_or(TOO_LARGE)?;
                if self.cursor.eat(self.array.delimiter) {
                    break;
                }
                if !self.cursor.eat(b'}') {
                    return Err(MALFORMED);
                }
                let length = lengths.get_mut(inner).ok_or(TOO_DEEP)?;
                if *length.get_or_insert(*count) != *count {
                    return Err("an array whose parts differ in length");
                }
                level = inner;
                if level == 0 {
                    let lengths = lengths.map(Option::unwrap_or_default);
                    return if self.cursor.is_at_end() { Ok((lengths, nulls)) } else { Err(MALFORMED) };
                }
            }
        }
    }

    /// Appends one element with its length before it and returns whether it is null.
    fn element(&mut self, out: &mut Vec<u8>) -> Result<bool, Reason> {
        let Array { element, delimiter } = self.array;
        if self.cursor.eat(b'"') {
            let text = self.cursor.escaped_until(|byte| byte == b'"')?;
            self.cursor.eat(b'"');
            value::push_binary(Some(&text), element, out)?;
            return Ok(false);
        }
        let text = self.cursor.escaped_until(|byte| byte == *delimiter || matches!(byte, b'{' | b'}'))?;
        let escaped = matches!(text, Cow::Owned(_));
        // Postgres would drop white space around it, but puts what has any in quotes.
        if text.is_empty() || !escaped && text.bytes().any(|byte| byte == b'"' || is_space(byte)) {
            return Err(MALFORMED);
        }
        let null = !escaped && text.eq_ignore_ascii_case("null");
        value::push_binary((!null).then_some(&text), element, out)?;
        Ok(null)
    }
}

pub(super) fn binary_to_text(binary: &[u8], array: &Array, out: &mut String) -> Result<(), Reason> {
    let Array { element, delimiter } = array;
    let mut reader = Reader::new(binary);
    let depth = usize::try_from(reader.i32()?).map_err(|_| MALFORMED)?;
    if depth > MAX_DIMENSIONS {
        return Err(TOO_DEEP);
    }
    if !matches!(reader.i32()?, 0 | 1) {
        return Err("an array with unknown flags");
    }
    value::check_oid(reader.u32()?, element).map_err(|_| "an array of other elements than its type's")?;
    let mut lengths = Vec::with_capacity(depth);
    let mut bounds = Vec::with_capacity(depth);
    for _ in 0..depth {
        lengths.push(usize::try_from(reader.i32()?).map_err(|_| MALFORMED)?);
        bounds.push(reader.i32()?);
    }
    let total = lengths.iter().try_fold(1_usize, |total, &length| total.checked_mul(length)).ok_or(TOO_LARGE)?;
    // Each element takes at least its own length's four bytes.
    if total > reader.remaining() / 4 && depth > 0 {
        return Err("an array that says it has more elements than it holds");
    }
    if depth == 0 || total == 0 {
        out.push_str("{}");
        return reader.finish();
    }
    if bounds.iter().any(|&bound| bound != 1) {
        for (&length, &bound) in lengths.iter().zip(&bounds) {
            let upper = i64::from(bound) + i64::try_from(length).map_err(|_| TOO_LARGE)? - 1;
            let _ = write!(out, "[{bound}:{upper}]");
        }
        out.push('=');
    }
    for index in 0..total {
        push_braces(index, &lengths, total, '{', *delimiter, out);
        match value::take(&mut reader)? {
            None => out.push_str("NULL"),
            Some(binary) => {
                let start = out.len();
                element.kind().binary_to_text(binary, out)?;
                quote_from(start, *delimiter, out)?;
            }
        }
        push_braces(index + 1, &lengths, total, '}', *delimiter, out);
    }
    reader.finish()
}

/// Appends the braces that open before, or close behind, so many elements, and the delimiter between elements.
fn push_braces(index: usize, lengths: &[usize], total: usize, brace: char, delimiter: u8, out: &mut String) {
    if brace == '{' && index > 0 {
        out.push(delimiter.into());
    }
    let mut size = 1_usize;
    for &length in lengths.iter().rev() {
        size = size.saturating_mul(length);
        if !index.is_multiple_of(size) && index != total {
            break;
        }
        out.push(brace);
    }
}

/// Quotes what stands in `out` from `start` on where `array_in` would not read it as one element otherwise.
fn quote_from(start: usize, delimiter: u8, out: &mut String) -> Result<(), Reason> {
    let element = out.get(start..).unwrap_or_default();
    check_length(element)?;
    let special = |byte: u8| matches!(byte, b'"' | b'\\' | b'{' | b'}') || byte == delimiter || is_space(byte);
    if !element.is_empty() && !element.eq_ignore_ascii_case("null") && !element.bytes().any(special) {
        return Ok(());
    }
    let element = out.split_off(start);
    out.push('"');
    for character in element.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Definition, DefinitionKind, Type};

    fn binary(oid: u32, text: &str) -> Option<Vec<u8>> {
        let mut binary = Vec::new();
        Type::builtin(oid).unwrap().text_to_binary(text, &mut binary).ok().map(|()| binary)
    }

    #[test]
    fn bounds_nulls_and_quotes_are_postgres_own() {
        // As PostgreSQL 15's array_send gives it.
        let expected = b"\0\0\0\x01\0\0\0\x01\0\0\0\x19\0\0\0\x02\0\0\0\0\0\0\0\x01a\xff\xff\xff\xff";
        assert_eq!(binary(1009, "[0:1]={a,NULL}").unwrap(), expected);
        for text in [r#"{"NULL","a\"b\\","","a b","{}"}"#, "[-2:-1][5:5]={{a},{NULL}}", "{}", "{{{{{{é}}}}}}"] {
            let mut again = String::new();
            Type::builtin(1009).unwrap().binary_to_text(&binary(1009, text).unwrap(), &mut again).unwrap();
            assert_eq!(again, text);
        }
        // The server reads these too, but prints none of them.
        assert_eq!(binary(1009, r"{\NULL}"), binary(1009, r#"{"NULL"}"#));
        assert_eq!(binary(1009, "{null}"), binary(1009, "{NULL}"));
    }

    #[test]
    fn what_array_out_does_not_print_is_an_error() {
        for text in [
            "",
            "{",
            "}",
            "{1",
            "1",
            "{1,}",
            "{,1}",
            "{1}}",
            "{{1},2}",
            "{{1},{2,3}}",
            "{ 1}",
            "{1 }",
            "{1\"2\"}",
            "{{}}",
            "[1:2]={1}",
            "[1:1]{1}",
            "[1]={1}",
            "[1:1][1:1]={1}",
            "[1:0]={}",
            "[2:1]={1}",
            "{{{{{{{1}}}}}}}",
            "{1;2}",
            "[-2147483648:2147483647]={1}",
            "{1\\",
            "{\"1",
        ] {
            assert_eq!(binary(1007, text), None, "{text}");
        }
    }

    #[test]
    fn the_elements_type_says_what_stands_between_them() {
        assert_eq!(binary(1020, "{(1,2),(0,1);(3,4),(1,1)}").unwrap().len(), 20 + 2 * 36);
        assert_eq!(binary(1020, "{(1,2),(0,1),(3,4),(1,1)}"), None);
    }

    #[test]
    fn elements_carry_the_domain_and_are_of_its_form() {
        let define = |oid, kind| Definition { oid, schema: "s".to_owned(), name: "n".to_owned(), array: 0, kind };
        let catalogue = Catalogue::new([
            define(20000, DefinitionKind::Domain { base: 1007 }),
            define(20001, DefinitionKind::Array { element: 20000, delimiter: b',' }),
        ]);
        let array = catalogue.conversion(20001, None).unwrap();
        let mut binary = Vec::new();
        array.text_to_binary(r#"{"{1,2}",NULL}"#, &mut binary).unwrap();
        assert_eq!(binary.get(..12).unwrap(), b"\0\0\0\x01\0\0\0\x01\0\0\x4e\x20");
        let mut text = String::new();
        array.binary_to_text(&binary, &mut text).unwrap();
        assert_eq!(text, r#"{"{1,2}",NULL}"#);
    }

    #[test]
    fn what_a_header_claims_is_checked() {
        let text = |binary: &[u8]| {
            let mut text = String::new();
            Type::builtin(1007).unwrap().binary_to_text(binary, &mut text).ok().map(|()| text)
        };
        let header = |fields: &[i32]| fields.iter().flat_map(|field| field.to_be_bytes()).collect::<Vec<_>>();
        assert_eq!(text(&header(&[1, 0, 23, 1, 7, 4, 5])).unwrap(), "[7:7]={5}");
        assert_eq!(text(&header(&[0, 0, 23])).unwrap(), "{}");
        assert_eq!(text(&header(&[2, 0, 23, 0, 1, 5, 1])).unwrap(), "{}");
        // Postgres compares the OIDs of built-in types only.
        assert_eq!(text(&header(&[1, 0, 20000, 1, 1, 4, 5])).unwrap(), "{5}");
        for wrong in [
            header(&[1, 0, 25, 1, 1, 4, 5]),
            header(&[1, 2, 23, 1, 1, 4, 5]),
            header(&[1, 0, 23, i32::MAX, 1, 4, 5]),
            header(&[2, 0, 23, i32::MAX, 1, i32::MAX, 1]),
            header(&[-1, 0, 23]),
            header(&[7, 0, 23]),
            header(&[1, 0, 23, -1, 1]),
            header(&[1, 0, 23, 1, 1, -2]),
            header(&[1, 0, 23, 1, 1, 4, 5, 6]),
        ] {
            assert_eq!(text(&wrong), None, "{wrong:?}");
        }
    }
}
