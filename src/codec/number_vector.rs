//! int2vector and oidvector: numbers between spaces; arrays of one dimension that begins at 0.

use std::{
    fmt::{Display, Write},
    str::FromStr,
};

use super::{Reason, integer, reader::Reader};
use crate::Oid;

const INT2: Oid = 21;
const OID: Oid = 26;
const FIRST_NOT_BUILTIN: Oid = 10_000;

/// What stands before the numbers: dimensions, whether there are nulls, the numbers' type, length and lower bound.
const LENGTH_AT: usize = 12;

pub(super) fn int2_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    to_binary(text, INT2, i16::to_be_bytes, out)
}

pub(super) fn int2_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    to_text(binary, INT2, i16::from_be_bytes, out)
}

pub(super) fn oid_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    to_binary(text, OID, u32::to_be_bytes, out)
}

pub(super) fn oid_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    to_text(binary, OID, u32::from_be_bytes, out)
}

fn to_binary<T: FromStr, const N: usize>(
    text: &str,
    element: Oid,
    bytes: fn(T) -> [u8; N],
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    let start = out.len();
    for field in [1, 0, element, 0, 0] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    let mut count = 0_i32;
    for number in text.split(' ').filter(|number| !number.is_empty()) {
        out.extend_from_slice(&u32::try_from(N).unwrap_or(0).to_be_bytes());
        integer::to_binary(number, bytes, out)?;
        count = count.checked_add(1).ok_or("too many numbers")?;
    }
    if let Some(length) = out.get_mut(start + LENGTH_AT..).and_then(<[u8]>::first_chunk_mut) {
        *length = count.to_be_bytes();
    }
    Ok(())
}

fn to_text<T: Display, const N: usize>(
    binary: &[u8],
    element: Oid,
    value: fn([u8; N]) -> T,
    out: &mut String,
) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let (dimensions, nulls, sent) = (reader.i32()?, reader.i32()?, reader.u32()?);
    // Of an OID that is no built-in type's the server takes any.
    if nulls != 0 || sent != element && sent < FIRST_NOT_BUILTIN {
        return Err("not a vector of numbers of its type without nulls");
    }
    if dimensions == 0 {
        return reader.finish();
    }
    let (count, lower) = (reader.i32()?, reader.i32()?);
    if dimensions != 1 || lower != 0 {
        return Err("not a vector of one dimension that begins at 0");
    }
    for index in 0..count {
        if usize::try_from(reader.i32()?) != Ok(N) {
            return Err("a number of another size than its type's");
        }
        let space = if index > 0 { " " } else { "" };
        let _ = write!(out, "{space}{}", value(reader.array()?));
    }
    reader.finish()
}
