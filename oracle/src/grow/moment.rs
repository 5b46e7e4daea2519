use fastrand::Rng;

use super::literal::{below, digits, one_in, sign};

/// A date, a time or a span of it.
pub(super) fn moment(name: &str, random: &mut Rng) -> Option<String> {
    let text = match name {
        "date" => {
            let (day, era) = day(random);
            day + era
        }
        "time" => time(random),
        "timetz" => time(random) + &zone(random),
        "timestamp" => {
            let ((day, era), time) = (day(random), time(random));
            format!("{day} {time}{era}")
        }
        "timestamptz" => {
            let ((day, era), time, zone) = (day(random), time(random), zone(random));
            format!("{day} {time}{zone}{era}")
        }
        "interval" => interval(random),
        _ => return None,
    };
    Some(text)
}

fn day(random: &mut Rng) -> (String, &'static str) {
    let (year, era) = match random.u32(..8) {
        0 => (1 + below(4700, random), " BC"),
        1 => (1 + below(290_000, random), ""),
        _ => (random.u64(1900..2100), ""),
    };
    (format!("{year:04}-{:02}-{:02}", random.u32(1..=12), random.u32(1..=28)), era)
}

fn time(random: &mut Rng) -> String {
    let clock = format!("{:02}:{:02}:{:02}", random.u32(..24), random.u32(..60), random.u32(..60));
    if one_in(3, random) {
        return clock;
    }
    let length = random.usize(1..=6);
    format!("{clock}.{}", digits(length, random))
}

fn zone(random: &mut Rng) -> String {
    let sign = if random.bool() { '-' } else { '+' };
    match random.u32(..3) {
        0 => format!("{sign}{:02}", random.u32(..15)),
        1 => format!("{sign}{:02}:{:02}", random.u32(..15), random.u32(..60)),
        _ => format!("{sign}{:02}:{:02}:{:02}", random.u32(..15), random.u32(..60), random.u32(..60)),
    }
}

fn interval(random: &mut Rng) -> String {
    let months =
        if random.bool() { format!("{}{} mons ", sign(random), below(2_000_000, random)) } else { String::new() };
    let days = if random.bool() { format!("{}{} days ", sign(random), below(1 << 31, random)) } else { String::new() };
    let hours = below(2_500_000_000, random);
    let length = random.usize(1..=6);
    let rest = match random.u32(..4) {
        0 => String::new(),
        1 => format!("{}{hours}:{:02}:{:02}", sign(random), random.u32(..60), random.u32(..60)),
        2 => format!("{}00:00:00.{}", sign(random), digits(length, random)),
        _ => format!(
            "{}{hours}:{:02}:{:02}.{}",
            sign(random),
            random.u32(..60),
            random.u32(..60),
            digits(length, random)
        ),
    };
    let all = months + &days + &rest;
    if all.trim().is_empty() { "0".into() } else { all }
}
