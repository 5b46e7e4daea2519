//! money: hundredths, printed as the C locale does.

use std::fmt::Write;

use super::{Reason, reader::whole};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    const NO_MONEY: Reason = "not an amount as -$1,234.56 (of the C locale)";
    let (negative, amount) = match text.strip_prefix('-') {
        Some(amount) => (true, amount),
        None => (false, text),
    };
    let amount = amount.strip_prefix('$').unwrap_or(amount);
    let (whole, hundredths) = amount.split_once('.').ok_or(NO_MONEY)?;
    if hundredths.len() != 2 || !hundredths.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NO_MONEY);
    }
    let mut value = 0_i64;
    for byte in whole.bytes().filter(|&byte| byte != b',').chain(hundredths.bytes()) {
        let digit = char::from(byte).to_digit(10).ok_or(NO_MONEY)?;
        let signed = if negative { -i64::from(digit) } else { digit.into() };
        value = value.checked_mul(10).and_then(|value| value.checked_add(signed)).ok_or(NO_MONEY)?;
    }
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let value = i64::from_be_bytes(whole(binary)?);
    out.push_str(if value < 0 { "-$" } else { "$" });
    let value = value.unsigned_abs();
    let digits = (value / 100).to_string();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let _ = write!(out, ".{:02}", value % 100);
    Ok(())
}
