//! "char": one byte, and empty for zero; a byte beyond ASCII prints as `\ooo`, since PostgreSQL 15.

use super::{Reason, bytea::octal, reader::whole};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.push(match *text.as_bytes() {
        [] => 0,
        [byte] => byte,
        [b'\\', a, b, c] => octal([a, b, c]).ok_or("not a byte as \\ooo")?,
        _ => return Err("more than one byte"),
    });
    Ok(())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    match whole(binary)? {
        [0] => {}
        [byte] if byte.is_ascii() => out.push(byte.into()),
        [byte] => {
            out.push('\\');
            out.extend([byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| char::from(b'0' + digit)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{to_binary, to_text};

    #[test]
    fn every_byte_is_read_back() {
        for byte in 0..=u8::MAX {
            let (mut text, mut binary) = (String::new(), Vec::new());
            to_text(&[byte], &mut text).unwrap();
            to_binary(&text, &mut binary).unwrap();
            assert_eq!(binary, [byte], "{text}");
        }
    }
}
