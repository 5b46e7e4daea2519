//! PostGIS's geometry and geography: the binary form is EWKB, the text its hexadecimal digits in upper case.

use super::{
    Reason,
    bytea::{from_hex, push_hex},
};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    from_hex(text, out)
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let start = out.len();
    push_hex(binary, out);
    if let Some(digits) = out.get_mut(start..) {
        digits.make_ascii_uppercase();
    }
    Ok(())
}
