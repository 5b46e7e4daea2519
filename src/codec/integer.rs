//! Whole numbers, signed and not, and what is made of them: pg_lsn and tid.

use std::{
    fmt::{Display, Write},
    str::FromStr,
};

use super::{
    Reason,
    reader::{Reader, whole},
};

const NO_NUMBER: Reason = "not a whole number in its range";

pub(super) fn to_binary<T: FromStr, const N: usize>(
    text: &str,
    bytes: fn(T) -> [u8; N],
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    let value = text.parse().map_err(|_| NO_NUMBER)?;
    out.extend_from_slice(&bytes(value));
    Ok(())
}

pub(super) fn to_text<T: Display, const N: usize>(
    binary: &[u8],
    value: fn([u8; N]) -> T,
    out: &mut String,
) -> Result<(), Reason> {
    // Writing to a string cannot fail, here and in all the codec.
    let _ = write!(out, "{}", value(whole(binary)?));
    Ok(())
}

/// A position in the write-ahead log: two halves in hexadecimal.
pub(super) fn lsn_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    const NO_LSN: Reason = "not a position as 16/B374D848";
    let (high, low) = text.split_once('/').ok_or(NO_LSN)?;
    for half in [high, low] {
        let half = u32::from_str_radix(half, 16).map_err(|_| NO_LSN)?;
        out.extend_from_slice(&half.to_be_bytes());
    }
    Ok(())
}

pub(super) fn lsn_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let _ = write!(out, "{:X}/{:X}", reader.u32()?, reader.u32()?);
    reader.finish()
}

/// A row's place: a block and an offset in it.
pub(super) fn tid_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    const NO_TID: Reason = "not a place as (0,1)";
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or(NO_TID)?;
    let (block, offset) = inner.split_once(',').ok_or(NO_TID)?;
    to_binary(block, u32::to_be_bytes, out)?;
    to_binary(offset, u16::to_be_bytes, out)
}

pub(super) fn tid_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let _ = write!(out, "({},{})", reader.u32()?, reader.u16()?);
    reader.finish()
}
