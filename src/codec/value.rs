//! A value inside another in binary: its length, -1 for a null, then its own form.

use super::{Reason, Type, reader::Reader};
use crate::Oid;

const TOO_LARGE: Reason = "too large a value";

/// Appends a value, or a null for `None`.
pub(super) fn push_binary(text: Option<&str>, type_: &Type, out: &mut Vec<u8>) -> Result<(), Reason> {
    push_with(out, |out| match text {
        Some(text) => type_.kind().text_to_binary(text, out).map(|()| true),
        None => Ok(false),
    })
}

/// Appends what `push` appends, with its length before it; a null if it says that there is no value.
pub(super) fn push_with(
    out: &mut Vec<u8>,
    push: impl FnOnce(&mut Vec<u8>) -> Result<bool, Reason>,
) -> Result<(), Reason> {
    let at = out.len();
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    if push(out)? {
        let length = i32::try_from(out.len() - at - 4).map_err(|_| TOO_LARGE)?;
        out.get_mut(at..at + 4).ok_or(TOO_LARGE)?.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Takes a value; `None` for a null.
pub(super) fn take<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Reason> {
    match reader.i32()? {
        -1 => Ok(None),
        length => reader.take(usize::try_from(length).map_err(|_| "a negative length")?).map(Some),
    }
}

/// Checks the OID that a binary form gives for a value inside it.
///
/// As Postgres does: only built-in OIDs are the same everywhere, so only two of these can be said to differ.
pub(super) fn check_oid(given: Oid, type_: &Type) -> Result<(), Reason> {
    /// From there on, `initdb` numbers types as it makes them.
    const FIRST_UNSTABLE: Oid = 10_000;
    let differ = given != type_.oid() && given < FIRST_UNSTABLE && type_.oid() < FIRST_UNSTABLE;
    if differ { Err("it holds values of another type") } else { Ok(()) }
}
