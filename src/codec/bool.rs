//! bool: one byte, `t` or `f`.

use super::{Reason, reader::whole};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.push(match text {
        "t" | "true" => 1,
        "f" | "false" => 0,
        _ => return Err("not t or f"),
    });
    Ok(())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let [byte] = whole(binary)?;
    out.push(if byte == 0 { 'f' } else { 't' });
    Ok(())
}
