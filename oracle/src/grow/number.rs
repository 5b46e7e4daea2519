use fastrand::Rng;

use super::literal::{below, digits, one_in, sign};

/// A number, or what is numbers inside.
pub(super) fn number(name: &str, random: &mut Rng) -> Option<String> {
    let text = match name {
        "int2" => random.i16(..).to_string(),
        "int4" => signed(32, random),
        "int8" => signed(64, random),
        "oid" | "xid" | "cid" => below(1 << 32, random).to_string(),
        "xid8" => below(u64::MAX, random).to_string(),
        "float4" => float4(random),
        "float8" => float8(random),
        "numeric" => numeric(random),
        "money" => format!("{}{}.{}", sign(random), below(1 << 50, random), digits(2, random)),
        "pg_lsn" => format!("{:X}/{:X}", random.u32(..), below(1 << 32, random)),
        "tid" => format!("({},{})", below(1 << 32, random), random.u16(..)),
        "int2vector" => list(random, |random| random.i16(..).to_string()),
        "oidvector" => list(random, |random| below(1 << 32, random).to_string()),
        "txid_snapshot" | "pg_snapshot" => snapshot(random),
        _ => return None,
    };
    Some(text)
}

fn signed(bits: u32, random: &mut Rng) -> String {
    (random.i64(..) >> (64 - bits + random.u32(..bits))).to_string()
}

pub(super) fn float4(random: &mut Rng) -> String {
    match random.u32(..4) {
        0 => f32::from_bits(random.u32(..0x7f80_0000)).to_string(),
        1 => format!("{}{}.{}", sign(random), below(100_000, random), below(1000, random)),
        2 => format!("{}{}e{}", sign(random), below(1 << 24, random), random.i32(-30..30)),
        _ => format!("{}{:e}", sign(random), f32::from_bits(random.u32(..0x7f80_0000))),
    }
}

pub(super) fn float8(random: &mut Rng) -> String {
    match random.u32(..4) {
        0 => format!("{:e}", f64::from_bits(random.u64(..0x7ff0_0000_0000_0000))),
        1 => format!("{}{}.{}", sign(random), below(100_000, random), below(1000, random)),
        2 => format!("{}{}e{}", sign(random), below(1 << 53, random), random.i32(-250..250)),
        _ => format!("{}{:e}", sign(random), f64::from_bits(random.u64(..0x7ff0_0000_0000_0000))),
    }
}

fn numeric(random: &mut Rng) -> String {
    let sign = sign(random);
    match random.u32(..8) {
        0 => {
            let (before, after) = (random.usize(1..60), random.usize(..60));
            format!("{sign}{}.{}", digits(before, random), digits(after, random))
        }
        1 => {
            let length = random.usize(1..12);
            format!("{sign}{}e{}", digits(length, random), random.i32(-400..400))
        }
        2 => {
            let (zeros, length) = (random.usize(..40), random.usize(1..20));
            format!("{sign}0.{}{}", "0".repeat(zeros), digits(length, random))
        }
        3 => {
            let (length, zeros) = (random.usize(1..9), random.usize(..40));
            format!("{sign}{}{}", digits(length, random), "0".repeat(zeros))
        }
        4 => format!("{sign}{}.{}", below(10_000, random), "0".repeat(random.usize(..12))),
        _ => {
            let length = random.usize(..6);
            format!("{sign}{}.{}", below(1_000_000, random), digits(length, random))
        }
    }
}

fn list(random: &mut Rng, mut item: impl FnMut(&mut Rng) -> String) -> String {
    let length = if one_in(8, random) { 0 } else { random.usize(..9) };
    (0..length).map(|_| item(random)).collect::<Vec<_>>().join(" ")
}

fn snapshot(random: &mut Rng) -> String {
    let start = below(1 << 40, random) + 1;
    let mut running: Vec<u64> = (0..random.usize(..6)).map(|_| start + below(50, random)).collect();
    running.sort_unstable();
    running.dedup();
    let end = running.last().map_or(start, |last| last + 1) + below(9, random);
    format!("{start}:{end}:{}", running.iter().map(u64::to_string).collect::<Vec<_>>().join(","))
}
