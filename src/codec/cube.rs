//! cube: a point, or two opposite corners, in so many dimensions.

use super::{Reason, float::push_float8, reader::Reader};

/// Beside the number of dimensions: the second corner is the first.
const POINT: u32 = 0x8000_0000;

const NO_CUBE: Reason = "not a cube as (1, 2),(3, 4)";

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or(NO_CUBE)?;
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let header = match inner.split_once("),(") {
        None => corner(inner, out)? | POINT,
        Some((one, other)) => {
            let dimensions = corner(one, out)?;
            if corner(other, out)? != dimensions {
                return Err(NO_CUBE);
            }
            dimensions
        }
    };
    out.get_mut(at..at + 4).ok_or(NO_CUBE)?.copy_from_slice(&header.to_be_bytes());
    Ok(())
}

/// Appends the coordinates and returns how many there are.
fn corner(text: &str, out: &mut Vec<u8>) -> Result<u32, Reason> {
    let mut count = 0_u32;
    for number in text.split(", ").filter(|_| !text.is_empty()) {
        let number: f64 = number.parse().map_err(|_| NO_CUBE)?;
        out.extend_from_slice(&number.to_be_bytes());
        count = count.checked_add(1).ok_or(NO_CUBE)?;
    }
    Ok(count)
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let header = reader.u32()?;
    let size = usize::try_from(header & !POINT).ok().and_then(|dimensions| dimensions.checked_mul(8)).ok_or(NO_CUBE)?;
    let one = reader.take(size)?;
    let other = if header & POINT == 0 { Some(reader.take(size)?) } else { None };
    reader.finish()?;
    push_corner(one, out);
    // The server, too, prints equal corners once; so zeros of both signs are equal, but a NaN is not.
    if let Some(other) = other.filter(|other| !coordinates(one).eq(coordinates(other))) {
        out.push(',');
        push_corner(other, out);
    }
    Ok(())
}

fn coordinates(corner: &[u8]) -> impl Iterator<Item = f64> {
    corner.as_chunks().0.iter().map(|&bytes| f64::from_be_bytes(bytes))
}

fn push_corner(corner: &[u8], out: &mut String) {
    out.push('(');
    for (index, coordinate) in coordinates(corner).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        push_float8(coordinate, out);
    }
    out.push(')');
}
