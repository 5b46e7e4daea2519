//! Arrays: of any element type, up to six dimensions, with lower bounds and nulls.

use std::fmt::Write;

use super::{Reason, base::Base, reader::Reader};
use crate::Oid;

/// Postgres's own limit.
const MAX_DIMENSIONS: usize = 6;

const MALFORMED: Reason = "a malformed array";
const TOO_LARGE: Reason = "too large an array";
const TOO_DEEP: Reason = "an array of more than six dimensions";

/// Whether it is int2vector or oidvector, which print without braces.
pub(super) fn is_vector(oid: Oid) -> bool {
    matches!(oid, 22 | 30)
}

pub(super) fn text_to_binary(text: &str, element: Oid, base: Base, out: &mut Vec<u8>) -> Result<(), Reason> {
    let (bounds, body) = lower_bounds(text)?;
    let depth = body.bytes().take_while(|&byte| byte == b'{').count();
    if depth > MAX_DIMENSIONS {
        return Err(TOO_DEEP);
    }
    if body == "{}" {
        for field in [0, 0, element] {
            out.extend_from_slice(&field.to_be_bytes());
        }
        return Ok(());
    }
    let start = out.len();
    out.resize(start + 12 + 8 * depth, 0);
    let mut parser = Parser { rest: body.as_bytes(), text: body, delimiter: base.delimiter(), scratch: String::new() };
    let (lengths, nulls) = parser.elements(depth, base, out)?;

    let mut header = Vec::with_capacity(12 + 8 * depth);
    header.extend_from_slice(&u32::try_from(depth).map_err(|_| TOO_DEEP)?.to_be_bytes());
    header.extend_from_slice(&u32::from(nulls).to_be_bytes());
    header.extend_from_slice(&element.to_be_bytes());
    for (index, length) in lengths.iter().take(depth).enumerate() {
        header.extend_from_slice(&i32::try_from(*length).map_err(|_| TOO_LARGE)?.to_be_bytes());
        header.extend_from_slice(&bounds.get(index).copied().unwrap_or(1).to_be_bytes());
    }
    if !bounds.is_empty() && bounds.len() != depth {
        return Err(MALFORMED);
    }
    out.get_mut(start..start + header.len()).ok_or(MALFORMED)?.copy_from_slice(&header);
    Ok(())
}

/// Reads `[0:1][-3:-2]=` and returns what stands behind it.
fn lower_bounds(text: &str) -> Result<(Vec<i32>, &str), Reason> {
    let mut bounds = Vec::new();
    if !text.starts_with('[') {
        return Ok((bounds, text));
    }
    let (dimensions, body) = text.split_once('=').ok_or(MALFORMED)?;
    let inner = dimensions.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or(MALFORMED)?;
    for dimension in inner.split("][") {
        let (lower, upper) = dimension.split_once(':').ok_or(MALFORMED)?;
        bounds.push(lower.parse().map_err(|_| MALFORMED)?);
        upper.parse::<i32>().map_err(|_| MALFORMED)?;
        if bounds.len() > MAX_DIMENSIONS {
            return Err(TOO_DEEP);
        }
    }
    Ok((bounds, body))
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a [u8],
    delimiter: u8,
    scratch: String,
}

impl Parser<'_> {
    /// Appends all elements and returns the dimensions' lengths and whether there was a null.
    fn elements(
        &mut self,
        depth: usize,
        base: Base,
        out: &mut Vec<u8>,
    ) -> Result<([usize; MAX_DIMENSIONS], bool), Reason> {
        let mut lengths: [Option<usize>; MAX_DIMENSIONS] = [None; MAX_DIMENSIONS];
        let mut counts = [0_usize; MAX_DIMENSIONS];
        let mut nulls = false;
        let mut level = 0;
        loop {
            while level < depth && self.eat(b'{') {
                *counts.get_mut(level).ok_or(TOO_DEEP)? = 0;
                level += 1;
            }
            if level != depth || depth == 0 {
                return Err(MALFORMED);
            }
            nulls |= self.element(base, out)?;
            loop {
                let inner = level.checked_sub(1).ok_or(MALFORMED)?;
                let count = counts.get_mut(inner).ok_or(TOO_DEEP)?;
                *count = count.checked_add(1).ok_or(TOO_LARGE)?;
                if self.eat(self.delimiter) {
                    break;
                }
                if !self.eat(b'}') {
                    return Err(MALFORMED);
                }
                let length = lengths.get_mut(inner).ok_or(TOO_DEEP)?;
                if *length.get_or_insert(*count) != *count {
                    return Err("an array whose parts differ in length");
                }
                level = inner;
                if level == 0 {
                    let lengths = lengths.map(Option::unwrap_or_default);
                    return if self.rest.is_empty() { Ok((lengths, nulls)) } else { Err(MALFORMED) };
                }
            }
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Appends one element with its length before it and returns whether it is null.
    fn element(&mut self, base: Base, out: &mut Vec<u8>) -> Result<bool, Reason> {
        let at = out.len();
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        let quoted = self.eat(b'"');
        let ends = |byte: u8, delimiter: u8| {
            if quoted { byte == b'"' } else { byte == delimiter || byte == b'}' || byte == b'{' }
        };
        self.scratch.clear();
        let mut escaped = false;
        let mut from = self.text.len() - self.rest.len();
        loop {
            let (&byte, rest) = self.rest.split_first().ok_or(MALFORMED)?;
            let here = self.text.len() - self.rest.len();
            if ends(byte, self.delimiter) {
                self.scratch.push_str(self.text.get(from..here).ok_or(MALFORMED)?);
                break;
            }
            self.rest = rest;
            if byte == b'\\' {
                escaped = true;
                self.scratch.push_str(self.text.get(from..here).ok_or(MALFORMED)?);
                from = here + 1;
                // What follows stands for itself; of a longer character the rest does so anyway.
                self.rest = self.rest.split_first().ok_or(MALFORMED)?.1;
            }
        }
        if quoted {
            self.rest = self.rest.split_first().ok_or(MALFORMED)?.1;
        } else if !escaped {
            if self.scratch.is_empty() {
                return Err(MALFORMED);
            }
            if self.scratch.eq_ignore_ascii_case("null") {
                return Ok(true);
            }
        }
        base.text_to_binary(&self.scratch, out)?;
        let length = i32::try_from(out.len() - at - 4).map_err(|_| TOO_LARGE)?;
        out.get_mut(at..at + 4).ok_or(MALFORMED)?.copy_from_slice(&length.to_be_bytes());
        Ok(false)
    }
}

pub(super) fn binary_to_text(binary: &[u8], element: Oid, base: Base, out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let depth = usize::try_from(reader.i32()?).map_err(|_| MALFORMED)?;
    if depth > MAX_DIMENSIONS {
        return Err(TOO_DEEP);
    }
    reader.i32()?;
    if reader.u32()? != element {
        return Err("an array of other elements than its type's");
    }
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
    let mut scratch = String::new();
    for index in 0..total {
        push_braces(index, &lengths, total, '{', base.delimiter(), out);
        let Ok(length) = usize::try_from(reader.i32()?) else {
            out.push_str("NULL");
            push_braces(index + 1, &lengths, total, '}', base.delimiter(), out);
            continue;
        };
        scratch.clear();
        base.binary_to_text(reader.take(length)?, &mut scratch)?;
        push_element(&scratch, base.delimiter(), out);
        push_braces(index + 1, &lengths, total, '}', base.delimiter(), out);
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

fn push_element(text: &str, delimiter: u8, out: &mut String) {
    let special = |byte: u8| {
        matches!(byte, b'"' | b'\\' | b'{' | b'}' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) || byte == delimiter
    };
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && !text.bytes().any(special) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
