//! numeric: digits of base 10000, the power of the first, the sign, and how many decimal places are shown.

use super::{Reason, reader::Reader};

const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

/// What the server shows as the scale of an infinity: bits of its sign, read as a scale.
const INFINITE_SCALE: u16 = 0x20;

/// The size of what stands before the digits, in bytes.
const HEADER: usize = 8;

const MAX_SCALE: u16 = 0x3fff;
const NO_NUMBER: Reason = "not a decimal number";
const TOO_LONG: Reason = "too many digits";

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let special = match text {
        "NaN" => Some((NAN, 0)),
        "Infinity" => Some((INFINITY, INFINITE_SCALE)),
        "-Infinity" => Some((NEGATIVE_INFINITY, INFINITE_SCALE)),
        _ => None,
    };
    if let Some((sign, scale)) = special {
        header(sign, scale, out);
        return Ok(());
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (POSITIVE, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(NO_NUMBER);
    }
    let scale = u16::try_from(fraction.len()).ok().filter(|&scale| scale <= MAX_SCALE).ok_or(TOO_LONG)?;

    let mut weight = i32::try_from(whole.len().div_ceil(4)).map_err(|_| TOO_LONG)? - 1;
    let start = out.len();
    header(POSITIVE, scale, out);
    let (first, rest) = whole.as_bytes().split_at(whole.len() % 4);
    let first = Some(first).filter(|first| !first.is_empty()).map(digit);
    let rest = rest.chunks(4).map(digit);
    let behind_point =
        fraction.as_bytes().chunks(4).map(|chunk| digit(chunk) * [0, 1000, 100, 10, 1].get(chunk.len()).unwrap_or(&0));
    // How many digits there are, and how many when the zeros at the end are not counted.
    let (mut count, mut significant) = (0, 0);
    for digit in first.into_iter().chain(rest).chain(behind_point) {
        if count == 0 && digit == 0 {
            weight -= 1;
            continue;
        }
        out.extend_from_slice(&digit.to_be_bytes());
        count += 1;
        if digit != 0 {
            significant = count;
        }
    }
    if significant == 0 {
        return Ok(());
    }
    out.truncate(start + HEADER + 2 * significant);
    let weight = i16::try_from(weight).map_err(|_| TOO_LONG)?;
    let significant = i16::try_from(significant).map_err(|_| TOO_LONG)?;
    let [count, weight] = [significant, weight].map(i16::to_be_bytes);
    if let Some(header) = out.get_mut(start..start + HEADER) {
        let (fields, _) = header.as_chunks_mut();
        for (field, value) in fields.iter_mut().zip([count, weight, sign.to_be_bytes()]) {
            *field = value;
        }
    }
    Ok(())
}

/// Writes what stands before no digits.
fn header(sign: u16, scale: u16, out: &mut Vec<u8>) {
    for field in [0, 0, sign, scale] {
        out.extend_from_slice(&field.to_be_bytes());
    }
}

/// The value of up to four decimal digits.
fn digit(decimals: &[u8]) -> u16 {
    decimals.iter().fold(0, |value, decimal| value * 10 + u16::from(decimal & 15))
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let count = usize::try_from(reader.i16()?).map_err(|_| "a negative number of digits")?;
    let (weight, sign, scale) = (reader.i16()?, reader.u16()?, reader.u16()?);
    let (digits, _) = reader.take(2 * count)?.as_chunks();
    reader.finish()?;
    if digits.iter().any(|&digit| u16::from_be_bytes(digit) > 9999) {
        return Err("a digit beyond 9999");
    }
    match sign {
        POSITIVE | NEGATIVE if scale > MAX_SCALE => return Err("too many decimal places"),
        POSITIVE | NEGATIVE => print(digits, weight.into(), sign == NEGATIVE, scale.into(), out),
        NAN => out.push_str("NaN"),
        INFINITY => out.push_str("Infinity"),
        NEGATIVE_INFINITY => out.push_str("-Infinity"),
        _ => return Err("an unknown sign"),
    }
    Ok(())
}

fn print(digits: &[[u8; 2]], weight: i32, negative: bool, scale: usize, out: &mut String) {
    let at = |power: i32| {
        let index = usize::try_from(weight - power).ok();
        index.and_then(|index| digits.get(index)).map_or(0, |&digit| u16::from_be_bytes(digit))
    };
    let start = out.len();
    if negative {
        out.push('-');
    }
    let first = out.len();
    for power in (0..=weight).rev() {
        for decimal in decimals(at(power)) {
            if decimal != '0' || out.len() > first {
                out.push(decimal);
            }
        }
    }
    if out.len() == first {
        out.push('0');
    }
    if scale > 0 {
        out.push('.');
        // The server, too, cuts what its scale does not show.
        out.extend((1..).flat_map(|power| decimals(at(-power))).take(scale));
    }
    if negative && out.as_bytes().iter().skip(first).all(|&byte| byte == b'0' || byte == b'.') {
        out.remove(start);
    }
}

/// The four decimal digits of one to the base 10000.
fn decimals(digit: u16) -> [char; 4] {
    [digit / 1000, digit / 100, digit / 10, digit]
        .map(|digit| char::from_digit(u32::from(digit % 10), 10).unwrap_or('0'))
}
