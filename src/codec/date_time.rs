//! date, time, timestamp, with and without a zone: ISO text; days and microseconds from 2000-01-01.

use std::fmt::Write;

use super::{
    Reason,
    reader::{Reader, whole},
};

const DAY: i64 = 86_400_000_000;

/// 2000-01-01 in days from 1970-01-01.
const EPOCH: i64 = 10_957;

/// How far from Greenwich no zone is, in seconds.
const ZONES: u32 = 16 * 3600;

const NO_DATE: Reason = "not a date of the ISO style";
const NO_TIME: Reason = "not a time of day";
const OUT_OF_RANGE: Reason = "out of range";

pub(super) fn date_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let days = match text {
        "infinity" => i32::MAX,
        "-infinity" => i32::MIN,
        _ => {
            let (date, before_christ) = split_era(text);
            i32::try_from(days(date, before_christ)?).map_err(|_| OUT_OF_RANGE)?
        }
    };
    out.extend_from_slice(&days.to_be_bytes());
    Ok(())
}

pub(super) fn date_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    match i32::from_be_bytes(whole(binary)?) {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        days => {
            let before_christ = push_date(days.into(), out);
            push_era(before_christ, out);
        }
    }
    Ok(())
}

pub(super) fn time_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.extend_from_slice(&time_of_day(text)?.to_be_bytes());
    Ok(())
}

pub(super) fn time_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    push_time_of_day(i64::from_be_bytes(whole(binary)?), out)
}

pub(super) fn timetz_to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let (time, zone) = split_zone(text)?;
    out.extend_from_slice(&time_of_day(time)?.to_be_bytes());
    // Postgres counts to the west.
    out.extend_from_slice(&(-zone.ok_or("a time without its zone")?).to_be_bytes());
    Ok(())
}

pub(super) fn timetz_to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    push_time_of_day(reader.i64()?, out)?;
    let west = reader.i32()?;
    reader.finish()?;
    if west.unsigned_abs() >= ZONES {
        return Err("a zone of 16 hours or more");
    }
    out.push(if west > 0 { '-' } else { '+' });
    let seconds = west.unsigned_abs();
    let _ = write!(out, "{:02}", seconds / 3600);
    if !seconds.is_multiple_of(3600) {
        let _ = write!(out, ":{:02}", seconds / 60 % 60);
    }
    if !seconds.is_multiple_of(60) {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
    Ok(())
}

pub(super) fn timestamp_to_binary(text: &str, zoned: bool, out: &mut Vec<u8>) -> Result<(), Reason> {
    let value = match text {
        "infinity" => i64::MAX,
        "-infinity" => i64::MIN,
        _ => timestamp(text, zoned)?,
    };
    out.extend_from_slice(&value.to_be_bytes());
    Ok(())
}

fn timestamp(text: &str, zoned: bool) -> Result<i64, Reason> {
    let (text, before_christ) = split_era(text);
    let (date, time) = split_at_byte(text, |byte| matches!(byte, b' ' | b'T')).ok_or("not a date and a time of day")?;
    let time = time.get(1..).unwrap_or_default();
    let (time, zone) = split_zone(time)?;
    let zone = match (zoned, zone) {
        (true, Some(zone)) => zone,
        (true, None) => return Err("a time without its zone"),
        (false, _) => 0,
    };
    let micros = i128::from(days(date, before_christ)?) * i128::from(DAY) + i128::from(time_of_day(time)?);
    i64::try_from(micros - i128::from(zone) * 1_000_000).map_err(|_| OUT_OF_RANGE)
}

pub(super) fn timestamp_to_text(binary: &[u8], zoned: bool, out: &mut String) -> Result<(), Reason> {
    match i64::from_be_bytes(whole(binary)?) {
        i64::MAX => out.push_str("infinity"),
        i64::MIN => out.push_str("-infinity"),
        micros => {
            let before_christ = push_date(micros.div_euclid(DAY), out);
            out.push(' ');
            push_time_of_day(micros.rem_euclid(DAY), out)?;
            if zoned {
                out.push_str("+00");
            }
            push_era(before_christ, out);
        }
    }
    Ok(())
}

fn split_era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

fn push_era(before_christ: bool, out: &mut String) {
    if before_christ {
        out.push_str(" BC");
    }
}

/// The number that so many to so many digits make.
fn number<const MIN: usize, const MAX: usize>(digits: &str) -> Option<i64> {
    if !(MIN..=MAX).contains(&digits.len()) {
        return None;
    }
    digits.bytes().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Splits around the first such byte of ASCII.
fn split_once(text: &str, byte: u8) -> Option<(&str, &str)> {
    let (before, rest) = split_at_byte(text, |found| found == byte)?;
    Some((before, rest.get(1..)?))
}

/// Splits before the first byte of ASCII that is looked for: many times faster than a search for a `char`.
fn split_at_byte(text: &str, sought: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    text.split_at_checked(text.bytes().position(sought)?)
}

/// Days from 2000-01-01 of a date in the Gregorian calendar, as Postgres extends it to all times.
fn days(date: &str, before_christ: bool) -> Result<i64, Reason> {
    let (year, rest) = split_once(date, b'-').ok_or(NO_DATE)?;
    let (month, day) = split_once(rest, b'-').ok_or(NO_DATE)?;
    let year = number::<1, 7>(year).filter(|&year| year > 0).ok_or(NO_DATE)?;
    let month = number::<1, 2>(month).filter(|month| (1..=12).contains(month)).ok_or(NO_DATE)?;
    let day = number::<1, 2>(day).ok_or(NO_DATE)?;
    let year = if before_christ { 1 - year } else { year };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=last).contains(&day) {
        return Err(NO_DATE);
    }
    // Years that begin in March put the leap day at their end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Ok(era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468 - EPOCH)
}

/// Appends the date so many days after 2000-01-01 and returns whether it is before Christ.
fn push_date(days: i64, out: &mut String) -> bool {
    let days = days + EPOCH + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let year = year + era * 400;
    let shown = if year > 0 { year } else { 1 - year };
    let _ = write!(out, "{shown:04}-{month:02}-{day:02}");
    year <= 0
}

/// Microseconds from midnight; 24:00 is a time, too.
fn time_of_day(text: &str) -> Result<i64, Reason> {
    let micros = clock(text).ok_or(NO_TIME)?;
    if micros <= DAY { Ok(micros) } else { Err(NO_TIME) }
}

/// Microseconds of `HH:MM:SS[.ffffff]`, of any number of hours.
pub(super) fn clock(text: &str) -> Option<i64> {
    let (hours, rest) = split_once(text, b':')?;
    let (minutes, seconds) = split_once(rest, b':').unwrap_or((rest, "00"));
    let (seconds, fraction) = split_once(seconds, b'.').unwrap_or((seconds, "0"));
    let hours = number::<1, 10>(hours)?;
    let minutes = number::<2, 2>(minutes).filter(|&minutes| minutes < 60)?;
    let seconds = number::<2, 2>(seconds).filter(|&seconds| seconds <= 60)?;
    let scale = 10_i64.checked_pow(6_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
    let micros = number::<1, 6>(fraction)?.checked_mul(scale)?;
    (hours * 3600 + minutes * 60 + seconds).checked_mul(1_000_000)?.checked_add(micros)
}

fn push_time_of_day(micros: i64, out: &mut String) -> Result<(), Reason> {
    if !(0..=DAY).contains(&micros) {
        return Err(NO_TIME);
    }
    push_clock(micros.unsigned_abs(), out);
    Ok(())
}

/// Appends `HH:MM:SS`, and the microseconds without zeros at their end.
pub(super) fn push_clock(micros: u64, out: &mut String) {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if micros > 0 {
        let _ = write!(out, ".{micros:06}");
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// Splits off a zone, in seconds to the east.
fn split_zone(text: &str) -> Result<(&str, Option<i32>), Reason> {
    const NO_ZONE: Reason = "not a zone as +05:45; the session's TimeZone and DateStyle must be UTC and ISO";
    if let Some(time) = text.strip_suffix('Z') {
        return Ok((time, Some(0)));
    }
    let Some((time, zone)) = split_at_byte(text, |byte| matches!(byte, b'+' | b'-')) else {
        return Ok((text, None));
    };
    let (negative, zone) = match zone.strip_prefix('-') {
        Some(zone) => (true, zone),
        None => (false, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let mut parts = zone.split(':').map(|part| number::<2, 2>(part).and_then(|part| i32::try_from(part).ok()));
    let mut seconds = 0;
    for unit in [3600, 60, 1] {
        match parts.next() {
            None if unit < 3600 => {}
            Some(Some(part)) if unit == 3600 || part < 60 => seconds += unit * part,
            _ => return Err(NO_ZONE),
        }
    }
    if parts.next().is_some() || seconds.unsigned_abs() >= ZONES {
        return Err(NO_ZONE);
    }
    Ok((time, Some(if negative { -seconds } else { seconds })))
}
