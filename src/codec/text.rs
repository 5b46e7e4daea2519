//! text and its family: the characters themselves.

use super::Reason;

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let text = std::str::from_utf8(binary).map_err(|_| "it is not UTF-8")?;
    if text.contains('\0') {
        return Err("it holds a NUL, which Postgres's text cannot");
    }
    out.push_str(text);
    Ok(())
}
