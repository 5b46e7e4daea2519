//! text and its family: the characters themselves.

use super::{Reason, reader::Reader};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    out.push_str(Reader::new(binary).text(binary.len())?);
    Ok(())
}
