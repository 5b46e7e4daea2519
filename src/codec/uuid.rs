//! uuid: 16 bytes.

use super::{
    Reason,
    bytea::{hex, push_hex},
    reader::whole,
};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    const NO_UUID: Reason = "not 32 hexadecimal digits in groups";
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let mut digits = text.bytes().filter(|&byte| byte != b'-');
    for _ in 0..16 {
        let pair = digits.next().zip(digits.next()).ok_or(NO_UUID)?;
        out.push(hex(pair.into()).ok_or(NO_UUID)?);
    }
    if digits.next().is_some() { Err(NO_UUID) } else { Ok(()) }
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let bytes: [u8; 16] = whole(binary)?;
    let mut rest = bytes.as_slice();
    for (index, length) in [4, 2, 2, 2, 6].into_iter().enumerate() {
        if index > 0 {
            out.push('-');
        }
        let (group, behind) = rest.split_at_checked(length).unwrap_or_default();
        push_hex(group, out);
        rest = behind;
    }
    Ok(())
}
