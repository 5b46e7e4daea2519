//! interval: microseconds, days, months; text of the `postgres` style.

use std::fmt::Write;

use super::{
    Reason,
    date_time::{clock, push_clock},
    reader::Reader,
};

const NO_INTERVAL: Reason = "not an interval of the postgres style";

/// The least count of microseconds: Postgres prints it as a clock's time, which it then cannot read, but reads it so.
const LEAST: (&str, &str) = ("-9223372036854775808", "microseconds");

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let (micros, days, months) = match text {
        // Since PostgreSQL 17.
        "infinity" => (i64::MAX, i32::MAX, i32::MAX),
        "-infinity" => (i64::MIN, i32::MIN, i32::MIN),
        _ => parse(text).ok_or(NO_INTERVAL)?,
    };
    out.extend_from_slice(&micros.to_be_bytes());
    out.extend_from_slice(&days.to_be_bytes());
    out.extend_from_slice(&months.to_be_bytes());
    Ok(())
}

fn parse(text: &str) -> Option<(i64, i32, i32)> {
    let (mut micros, mut days, mut months) = (0_i64, 0_i32, 0_i32);
    let mut words = text.split(' ');
    while let Some(word) = words.next() {
        if word.contains(':') {
            micros = time(word)?;
            if words.next().is_some() {
                return None;
            }
            break;
        }
        if word == LEAST.0 {
            micros = i64::MIN;
            if words.next() != Some(LEAST.1) || words.next().is_some() {
                return None;
            }
            break;
        }
        let count: i32 = word.parse().ok()?;
        match words.next()? {
            "year" | "years" => months = months.checked_add(count.checked_mul(12)?)?,
            "mon" | "mons" => months = months.checked_add(count)?,
            "day" | "days" => days = days.checked_add(count)?,
            _ => return None,
        }
    }
    Some((micros, days, months))
}

fn time(word: &str) -> Option<i64> {
    match word.strip_prefix('-') {
        // The one whose opposite does not fit.
        Some("2562047788:00:54.775808") => Some(i64::MIN),
        Some(word) => clock(word).map(i64::wrapping_neg),
        None => clock(word.strip_prefix('+').unwrap_or(word)),
    }
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let value = (reader.i64()?, reader.i32()?, reader.i32()?);
    reader.finish()?;
    match value {
        (i64::MAX, i32::MAX, i32::MAX) => out.push_str("infinity"),
        (i64::MIN, i32::MIN, i32::MIN) => out.push_str("-infinity"),
        (micros, days, months) => print(micros, days, months, out),
    }
    Ok(())
}

/// A positive part behind a negative one gets a plus sign.
fn print(micros: i64, days: i32, months: i32, out: &mut String) {
    let start = out.len();
    let mut before_negative = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count == 0 {
            continue;
        }
        let space = if out.len() > start { " " } else { "" };
        let plus = if before_negative && count > 0 { "+" } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        let _ = write!(out, "{space}{plus}{count} {unit}{plural}");
        before_negative = count < 0;
    }
    if out.len() > start && micros == 0 {
        return;
    }
    if out.len() > start {
        out.push(' ');
    }
    if micros == i64::MIN {
        let _ = write!(out, "{} {}", LEAST.0, LEAST.1);
        return;
    }
    if micros < 0 {
        out.push('-');
    } else if before_negative {
        out.push('+');
    }
    push_clock(micros.unsigned_abs(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_time_is_printed_so_that_postgres_reads_it() {
        for (days, months, text) in
            [(0, 0, "-9223372036854775808 microseconds"), (1, -1, "-1 mons +1 day -9223372036854775808 microseconds")]
        {
            let mut binary = i64::MIN.to_be_bytes().to_vec();
            binary.extend_from_slice(&i32::to_be_bytes(days));
            binary.extend_from_slice(&i32::to_be_bytes(months));
            let (mut printed, mut read) = (String::new(), Vec::new());
            to_text(&binary, &mut printed).unwrap();
            assert_eq!(printed, text);
            to_binary(&printed, &mut read).unwrap();
            assert_eq!(read, binary);
        }
        let mut read = Vec::new();
        to_binary("-2562047788:00:54.775808", &mut read).unwrap();
        assert_eq!(read.get(..8), Some(&i64::MIN.to_be_bytes()[..]));
        for wrong in ["-9223372036854775808", "-9223372036854775808 days", "-9223372036854775808 microseconds 1 day"] {
            assert!(to_binary(wrong, &mut Vec::new()).is_err(), "{wrong}");
        }
    }
}
