//! hstore: texts by text keys, nulls among them, in the server's order.

use super::{Reason, reader::Reader};

const NO_HSTORE: Reason = "not pairs as \"key\"=>\"value\", \"other\"=>NULL";
const TOO_LONG: Reason = "it is too long";

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count = 0_i32;
    let mut rest = text;
    while !rest.is_empty() {
        if count > 0 {
            rest = rest.strip_prefix(", ").ok_or(NO_HSTORE)?;
        }
        rest = quoted(rest, out)?.strip_prefix("=>").ok_or(NO_HSTORE)?;
        rest = match rest.strip_prefix("NULL") {
            Some(rest) => {
                out.extend_from_slice(&(-1_i32).to_be_bytes());
                rest
            }
            None => quoted(rest, out)?,
        };
        count = count.checked_add(1).ok_or(TOO_LONG)?;
    }
    out.get_mut(at..at + 4).ok_or(NO_HSTORE)?.copy_from_slice(&count.to_be_bytes());
    Ok(())
}

/// Appends a quoted text with its length before it and returns what stands behind.
fn quoted<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, Reason> {
    let inner = text.strip_prefix('"').ok_or(NO_HSTORE)?;
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut characters = inner.chars();
    loop {
        let character = match characters.next().ok_or(NO_HSTORE)? {
            '"' => break,
            '\\' => characters.next().ok_or(NO_HSTORE)?,
            character => character,
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    let length = i32::try_from(out.len() - at - 4).map_err(|_| TOO_LONG)?;
    out.get_mut(at..at + 4).ok_or(NO_HSTORE)?.copy_from_slice(&length.to_be_bytes());
    Ok(characters.as_str())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    for index in 0..reader.count(8)? {
        if index > 0 {
            out.push_str(", ");
        }
        let length = usize::try_from(reader.i32()?).map_err(|_| "a null for a key")?;
        push_quoted(reader.text(length)?, out);
        out.push_str("=>");
        // The server takes any negative length for a null's.
        match usize::try_from(reader.i32()?) {
            Ok(length) => push_quoted(reader.text(length)?, out),
            Err(_) => out.push_str("NULL"),
        }
    }
    reader.finish()
}

fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
