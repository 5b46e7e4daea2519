//! pg_snapshot and txid_snapshot: the first transaction still running, the first not yet begun, and those running between.

use std::fmt::Write;

use super::{Reason, integer, reader::Reader};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    const NO_SNAPSHOT: Reason = "not a snapshot as 10:20:12,14";
    let (xmin, rest) = text.split_once(':').ok_or(NO_SNAPSHOT)?;
    let (xmax, running) = rest.split_once(':').ok_or(NO_SNAPSHOT)?;
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    integer::to_binary(xmin, u64::to_be_bytes, out)?;
    integer::to_binary(xmax, u64::to_be_bytes, out)?;
    let mut count = 0_i32;
    for transaction in running.split(',').filter(|_| !running.is_empty()) {
        integer::to_binary(transaction, u64::to_be_bytes, out)?;
        count = count.checked_add(1).ok_or("too many transactions")?;
    }
    out.get_mut(at..at + 4).ok_or(NO_SNAPSHOT)?.copy_from_slice(&count.to_be_bytes());
    Ok(())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let count = reader.count(8)?;
    let _ = write!(out, "{}:{}:", reader.u64()?, reader.u64()?);
    for index in 0..count {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{}", reader.u64()?);
    }
    reader.finish()
}
