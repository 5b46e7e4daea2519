//! bytea: bytes, printed as hex; read in the escape form too.

use super::Reason;

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    match text.strip_prefix("\\x") {
        Some(digits) => from_hex(digits, out),
        None => from_escaped(text.as_bytes(), out),
    }
}

/// Appends the bytes of pairs of hexadecimal digits.
pub(super) fn from_hex(digits: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let (pairs, []) = digits.as_bytes().as_chunks() else { return Err("an odd number of hexadecimal digits") };
    out.reserve(pairs.len());
    for &pair in pairs {
        out.push(hex(pair).ok_or("not hexadecimal")?);
    }
    Ok(())
}

fn from_escaped(mut text: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    loop {
        let (byte, rest) = match *text {
            [] => return Ok(()),
            [b'\\', b'\\', ref rest @ ..] => (b'\\', rest),
            [b'\\', a, b, c, ref rest @ ..] => (octal([a, b, c]).ok_or("not a byte as \\ooo")?, rest),
            [b'\\', ..] => return Err("a backslash at its end"),
            [byte, ref rest @ ..] => (byte, rest),
        };
        out.push(byte);
        text = rest;
    }
}

/// Two hexadecimal digits of either case.
pub(super) fn hex(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? << 4 | low?).ok()
}

/// Three octal digits.
pub(super) fn octal(digits: [u8; 3]) -> Option<u8> {
    let [a, b, c] = digits.map(|digit| char::from(digit).to_digit(8));
    u8::try_from(a? << 6 | b? << 3 | c?).ok()
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    out.reserve(2 + 2 * binary.len());
    out.push_str("\\x");
    push_hex(binary, out);
    Ok(())
}

/// Appends two lower-case digits a byte.
pub(super) fn push_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(digit.into(), 16));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::to_binary;

    fn bytes(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        to_binary(text, &mut out).ok().map(|()| out)
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(bytes("\\xDEadbe00"), Some(vec![0xde, 0xad, 0xbe, 0]));
        assert_eq!(bytes("a\\\\b\\000\\377"), Some(b"a\\b\x00\xff".to_vec()));
        assert_eq!(bytes(""), Some(vec![]));
        for wrong in ["\\x0", "\\xgg", "\\", "\\40", "\\400", "\\9aa", "\\x\u{e9}"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
