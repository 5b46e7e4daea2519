//! float4 and float8: IEEE 754; printed with the fewest digits that read back as the same number.

use std::fmt::Write;

use super::{Reason, reader::whole};

const NO_NUMBER: Reason = "not a number";

pub(super) fn float4_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let value: f32 = text.parse().map_err(|_| NO_NUMBER)?;
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

pub(super) fn float8_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let value: f64 = text.parse().map_err(|_| NO_NUMBER)?;
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

pub(super) fn float4_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    push_float4(f32::from_be_bytes(whole(binary)?), out);
    Ok(())
}

/// Appends a float4 as Postgres prints it.
pub(super) fn push_float4(value: f32, out: &mut String) {
    if !push_special(value.into(), out) {
        let shortest = shortest(
            f64::from(value),
            format!("{:e}", value),
            |precision| format!("{value:.precision$e}"),
            |text| text.parse() == Ok(value),
            24,
        );
        push_decimal(&shortest, 6, out);
    }
}

pub(super) fn float8_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    push_float8(f64::from_be_bytes(whole(binary)?), out);
    Ok(())
}

/// Appends a float8 as Postgres prints it.
pub(super) fn push_float8(value: f64, out: &mut String) {
    if !push_special(value, out) {
        let shortest = shortest(
            value,
            format!("{value:e}"),
            |precision| format!("{value:.precision$e}"),
            |text| text.parse() == Ok(value),
            53,
        );
        push_decimal(&shortest, 15, out);
    }
}

fn push_special(value: f64, out: &mut String) -> bool {
    let text = if value.is_nan() {
        "NaN"
    } else if value == f64::INFINITY {
        "Infinity"
    } else if value == f64::NEG_INFINITY {
        "-Infinity"
    } else {
        return false;
    };
    out.push_str(text);
    true
}

/// The fewest digits, in scientific notation.
///
/// Where they stand exactly between two floats, Rust relies on readers to round to the even one; Postgres does not, and prints
/// more digits.
fn shortest(
    value: f64,
    digits: String,
    with_precision: impl Fn(usize) -> String,
    reads_back: impl Fn(&str) -> bool,
    mantissa_bits: u32,
) -> String {
    let precision = digits.bytes().take_while(|&byte| byte != b'e').filter(u8::is_ascii_digit).count();
    if !is_midpoint(value, &digits, mantissa_bits) {
        // Of two numbers equally near, Rust takes the larger for its shortest digits; with a precision given it takes the even
        // one, as Postgres does.
        let even = with_precision(precision.saturating_sub(1));
        return if reads_back(&even) { even } else { digits };
    }
    (precision..20)
        .map(with_precision)
        .find(|longer| reads_back(longer) && !is_midpoint(value, longer, mantissa_bits))
        .unwrap_or(digits)
}

/// Whether a decimal number stands exactly between two floats: it then needs one bit more than a float has.
fn is_midpoint(value: f64, decimal: &str, mantissa_bits: u32) -> bool {
    let Some((mantissa, exponent)) = decimal.split_once('e') else { return false };
    let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let (Ok(mut integer), Ok(exponent), Ok(fraction)) =
        (digits.parse::<u128>(), exponent.parse::<i32>(), i32::try_from(fraction))
    else {
        return false;
    };
    if integer == 0 || value == 0.0 {
        return false;
    }
    // The odd part alone says how many bits are needed: that of a power of ten is the power of five.
    for _ in 0..(exponent - fraction).unsigned_abs() {
        let next = if exponent < fraction {
            Some(integer / 5).filter(|_| integer.is_multiple_of(5))
        } else {
            // Beyond this it cannot be a midpoint, and need not fit.
            integer.checked_mul(5).filter(|&integer| integer < 1 << 100)
        };
        let Some(next) = next else { return false };
        integer = next;
    }
    let odd = integer >> integer.trailing_zeros();
    u128::BITS - odd.leading_zeros() == mantissa_bits + 1
}

/// Appends a number in scientific notation as Postgres does: with a power of ten only below -4 and from `limit` on.
fn push_decimal(scientific: &str, limit: i32, out: &mut String) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = match mantissa.strip_prefix('-') {
        Some(mantissa) => {
            out.push('-');
            mantissa
        }
        None => mantissa,
    };
    if !(-4..limit).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
        return;
    }
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(char::from);
    if exponent < 0 {
        out.push_str("0.");
        out.extend((1..exponent.unsigned_abs()).map(|_| '0'));
        out.extend(digits);
        return;
    }
    let mut whole = exponent + 1;
    for digit in digits {
        if whole == 0 {
            out.push('.');
        }
        whole -= 1;
        out.push(digit);
    }
    out.extend((0..whole).map(|_| '0'));
}

#[cfg(test)]
mod tests {
    use super::{float4_to_text, push_float8};

    /// As PostgreSQL 15 prints them.
    #[test]
    fn numbers_print_as_in_postgres() {
        for (value, expected) in [
            (1e20, "1e+20"),
            (1e-5, "1e-05"),
            (1e-4, "0.0001"),
            (-0.0, "-0"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (123456789012345.6, "123456789012345.6"),
            (1e23, "9.999999999999999e+22"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut text = String::new();
            push_float8(value, &mut text);
            assert_eq!(text, expected);
        }
        for (value, expected) in
            [(1e5_f32, "100000"), (1e6, "1e+06"), (16777216.0, "1.6777216e+07"), (1472319.2, "1.4723192e+06")]
        {
            let mut text = String::new();
            float4_to_text(&value.to_be_bytes(), &mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
