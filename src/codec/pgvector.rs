//! pgvector's types: vector, halfvec and sparsevec.

use std::fmt::Write;

use super::{Reason, float::push_float4, reader::Reader};

const NO_VECTOR: Reason = "not a vector as [1,2.5]";
const NO_SPARSE_VECTOR: Reason = "not a sparse vector as {1:1.5,3:2}/5";

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    dense_to_binary(text, out, |value, out| {
        out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    })
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    dense_to_text(binary, out, Reader::f32)
}

pub(super) fn half_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    dense_to_binary(text, out, |value, out| {
        let half = half_of(value).ok_or("a number that is no half-precision one")?;
        out.extend_from_slice(&half.to_be_bytes());
        Ok(())
    })
}

pub(super) fn half_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    dense_to_text(binary, out, |reader| reader.u16().map(float_of))
}

/// The number of dimensions, two bytes of zero, the numbers.
fn dense_to_binary(
    text: &str,
    out: &mut Vec<u8>,
    push: impl Fn(f32, &mut Vec<u8>) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or(NO_VECTOR)?;
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut dimensions = 0_i16;
    for number in inner.split(',') {
        push(number.parse().map_err(|_| NO_VECTOR)?, out)?;
        dimensions = dimensions.checked_add(1).ok_or("too many dimensions")?;
    }
    out.get_mut(at..at + 2).ok_or(NO_VECTOR)?.copy_from_slice(&dimensions.to_be_bytes());
    Ok(())
}

fn dense_to_text<'a>(
    binary: &'a [u8],
    out: &mut String,
    number: impl Fn(&mut Reader<'a>) -> Result<f32, Reason>,
) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let dimensions = reader.i16()?;
    if reader.u16()? != 0 {
        return Err("its binary form is of a later version");
    }
    for index in 0..dimensions {
        out.push(if index > 0 { ',' } else { '[' });
        push_float4(number(&mut reader)?, out);
    }
    if dimensions <= 0 {
        return Err("a vector without dimensions");
    }
    out.push(']');
    reader.finish()
}

/// The number of dimensions, how many are not zero, four bytes of zero, which these are, counted from 0, and their values.
pub(super) fn sparse_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let (values, dimensions) = text.rsplit_once('/').ok_or(NO_SPARSE_VECTOR)?;
    let values = values.strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or(NO_SPARSE_VECTOR)?;
    let dimensions: i32 = dimensions.parse().map_err(|_| NO_SPARSE_VECTOR)?;
    let (mut indices, mut numbers) = (Vec::new(), Vec::new());
    for value in values.split(',').filter(|_| !values.is_empty()) {
        let (index, number) = value.split_once(':').ok_or(NO_SPARSE_VECTOR)?;
        let index =
            index.parse::<i32>().ok().filter(|&index| index > 0 && index <= dimensions).ok_or(NO_SPARSE_VECTOR)?;
        indices.push(index - 1);
        numbers.push(number.parse::<f32>().map_err(|_| NO_SPARSE_VECTOR)?);
    }
    let count = i32::try_from(indices.len()).map_err(|_| NO_SPARSE_VECTOR)?;
    for field in [dimensions, count, 0].into_iter().chain(indices) {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend(numbers.into_iter().flat_map(f32::to_be_bytes));
    Ok(())
}

pub(super) fn sparse_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let dimensions = reader.i32()?;
    let count = usize::try_from(reader.i32()?).map_err(|_| "a negative count")?;
    if reader.u32()? != 0 {
        return Err("its binary form is of a later version");
    }
    let size = count.checked_mul(4).ok_or("a count of more than it holds")?;
    let (mut indices, mut numbers) = (Reader::new(reader.take(size)?), Reader::new(reader.take(size)?));
    reader.finish()?;
    out.push('{');
    let mut last = -1;
    for at in 0..count {
        let index = indices.i32()?;
        if index <= last || index >= dimensions {
            return Err("indices that are out of order or beyond its dimensions");
        }
        last = index;
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{}:", i64::from(index) + 1);
        push_float4(numbers.f32()?, out);
    }
    let _ = write!(out, "}}/{dimensions}");
    Ok(())
}

/// What a half-precision number is in single precision.
fn float_of(half: u16) -> f32 {
    let (exponent, fraction) = (half >> 10 & 0x1f, half & 0x3ff);
    let magnitude = match exponent {
        0x1f => f32::from_bits(0x7f80_0000 | u32::from(fraction) << 13),
        // In units of 2^-24, the smallest.
        0 => f32::from(fraction) / 16_777_216.0,
        _ => f32::from_bits((u32::from(exponent) + 112) << 23 | u32::from(fraction) << 13),
    };
    if half >> 15 == 1 { -magnitude } else { magnitude }
}

/// The half-precision number that is exactly this one.
fn half_of(value: f32) -> Option<u16> {
    let sign = u16::from(value.is_sign_negative()) << 15;
    let magnitude = value.abs();
    let bits = if magnitude < 1.0 / 16384.0 {
        // Below the smallest normal one, 2^-14, in units of 2^-24; what is not whole is found below.
        (magnitude * 16_777_216.0) as u16
    } else {
        u16::try_from((magnitude.to_bits() >> 13).checked_sub(112 << 10)?).ok().filter(|&bits| bits < 0x8000)?
    };
    Some(bits | sign).filter(|&half| float_of(half).to_bits() == value.to_bits())
}

#[cfg(test)]
mod tests {
    use super::{float_of, half_of, sparse_to_binary, sparse_to_text, to_binary};

    #[test]
    fn every_half_is_read_back() {
        for half in (0..=u16::MAX).filter(|&half| float_of(half).is_finite()) {
            assert_eq!(half_of(float_of(half)), Some(half), "{half:04x}");
        }
        assert_eq!(float_of(0x3555), 0.333_251_95);
        assert_eq!(float_of(0x0001), 5.960_464_5e-8);
        assert_eq!(float_of(0xfbff), -65504.0);
        for wrong in [0.1, 65520.0, 1e-8, 3e38, f32::INFINITY] {
            assert_eq!(half_of(wrong).filter(|&half| half != 0x7c00), None, "{wrong}");
        }
    }

    #[test]
    fn malformed_vectors_are_refused() {
        for wrong in ["", "[]", "[1", "[1,]", "1,2", "[a]"] {
            assert!(to_binary(wrong, &mut Vec::new()).is_err(), "{wrong}");
        }
        for wrong in ["{}", "{0:1}/3", "{4:1}/3", "{1}/3", "1:1/3", "{1:1}/x"] {
            assert!(sparse_to_binary(wrong, &mut Vec::new()).is_err(), "{wrong}");
        }
        for wrong in [&[0_u8, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0][..], &[0, 0, 0, 1], &[]] {
            assert!(sparse_to_text(wrong, &mut String::new()).is_err(), "{wrong:?}");
        }
    }
}
