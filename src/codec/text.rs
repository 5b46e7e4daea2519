//! text and its family: the characters themselves.

use super::{Reason, reader::Reader};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// A name has so many bytes at most. A longer one is cut as text, but refused in the binary form.
const MAX_NAME: usize = 63;

pub(super) fn name_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    if text.len() > MAX_NAME { Err(NAME_TOO_LONG) } else { to_binary(text, out) }
}

pub(super) fn name_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    if binary.len() > MAX_NAME { Err(NAME_TOO_LONG) } else { to_text(binary, out) }
}

const NAME_TOO_LONG: Reason = "a name of more than 63 bytes";

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    out.push_str(Reader::new(binary).text(binary.len())?);
    Ok(())
}
