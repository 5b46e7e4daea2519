//! "char": one byte, and empty for zero. Since PostgreSQL 16 a byte beyond ASCII prints as `\\ooo`.

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
        // PostgreSQL 15 would read `\ooo` as a backslash.
        _ => return Err("a byte beyond ASCII, which has no text form that all versions of Postgres read"),
    }
    Ok(())
}
