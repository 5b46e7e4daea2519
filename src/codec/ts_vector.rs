//! tsvector: lexemes in order, each with its positions and their weights.

use std::fmt::Write;

use super::{
    Reason,
    lexeme::{self, WEIGHTS},
    reader::Reader,
};

/// Positions have so many bits, the weight those above.
const POSITION_BITS: u16 = 14;
const POSITION_MASK: u16 = (1 << POSITION_BITS) - 1;

const NO_VECTOR: Reason = "not lexemes as 'a':1A,2 'b'";

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count = 0_i32;
    let mut rest = text;
    while !rest.is_empty() {
        if count > 0 {
            rest = rest.strip_prefix(' ').ok_or(NO_VECTOR)?;
        }
        rest = positions(lexeme::read(rest, out)?, out)?;
        count = count.checked_add(1).ok_or(NO_VECTOR)?;
    }
    out.get_mut(at..at + 4).ok_or(NO_VECTOR)?.copy_from_slice(&count.to_be_bytes());
    Ok(())
}

/// Appends the positions behind a lexeme, with their count before them, and returns the rest of the text.
fn positions<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, Reason> {
    let at = out.len();
    out.extend_from_slice(&[0; 2]);
    let Some(listed) = text.strip_prefix(':') else { return Ok(text) };
    let (listed, rest) = listed.split_at(listed.find(' ').unwrap_or(listed.len()));
    let (mut count, mut last) = (0_u16, 0);
    for position in listed.split(',') {
        let number = position.trim_end_matches(|character| WEIGHTS.contains(character));
        let weight = match position.strip_prefix(number).ok_or(NO_VECTOR)? {
            "" => 0,
            weight => WEIGHTS.find(weight).and_then(|weight| u16::try_from(weight).ok()).ok_or(NO_VECTOR)?,
        };
        let number =
            number.parse().ok().filter(|number| (last + 1..=POSITION_MASK).contains(number)).ok_or(NO_VECTOR)?;
        last = number;
        out.extend_from_slice(&(weight << POSITION_BITS | number).to_be_bytes());
        count = count.checked_add(1).ok_or(NO_VECTOR)?;
    }
    out.get_mut(at..at + 2).ok_or(NO_VECTOR)?.copy_from_slice(&count.to_be_bytes());
    Ok(rest)
}

/// Prints lexemes in the order that they come in: the server sorts what it reads, in either form.
pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    // A lexeme takes at least its NUL and the count of its positions.
    for index in 0..reader.count(3)? {
        if index > 0 {
            out.push(' ');
        }
        let lexeme = reader.terminated()?;
        if lexeme.is_empty() {
            return Err("an empty lexeme");
        }
        lexeme::push(lexeme, out);
        let mut last = 0;
        for index in 0..reader.u16()? {
            let entry = reader.u16()?;
            let (position, weight) = (entry & POSITION_MASK, entry >> POSITION_BITS);
            // Text would be sorted, which the binary form must be.
            if position <= last {
                return Err("positions out of order");
            }
            last = position;
            let _ = write!(out, "{}{position}", if index > 0 { ',' } else { ':' });
            out.extend(WEIGHTS.chars().nth(weight.into()).filter(|_| weight > 0));
        }
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::to_text;

    /// What the server refuses in the binary form it would take, and change, as text.
    #[test]
    fn what_text_would_repair_is_refused() {
        let vector = |positions: &[u16]| {
            let mut binary = b"\0\0\0\x01a\0\0".to_vec();
            binary.push(u8::try_from(positions.len()).unwrap());
            binary.extend(positions.iter().flat_map(|position| position.to_be_bytes()));
            let mut text = String::new();
            to_text(&binary, &mut text).ok().map(|()| text)
        };
        assert_eq!(vector(&[1, 0xc002]).as_deref(), Some("'a':1,2A"));
        assert_eq!(vector(&[0]), None);
        assert_eq!(vector(&[2, 1]), None);
        assert_eq!(vector(&[2, 2]), None);
        assert!(to_text(b"\0\0\0\x01\0\0\0", &mut String::new()).is_err());
        assert!(to_text(b"\x7f\xff\xff\xff", &mut String::new()).is_err());
    }
}
