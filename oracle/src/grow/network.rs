use std::net::{Ipv4Addr, Ipv6Addr};

use fastrand::Rng;

use super::literal::hex;

/// An address.
pub(super) fn network(name: &str, random: &mut Rng) -> Option<String> {
    match name {
        "inet" if random.bool() => Some(format!("{}/{}", Ipv4Addr::from(random.u32(..)), random.u32(..=32))),
        "inet" => Some(format!("{}/{}", v6(random), random.u32(..=128))),
        "cidr" if random.bool() => {
            let bits = random.u32(..=32);
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            Some(format!("{}/{bits}", Ipv4Addr::from(random.u32(..) & mask)))
        }
        "cidr" => {
            let bits = random.u32(..=128);
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            Some(format!("{}/{bits}", Ipv6Addr::from(u128::from(v6(random)) & mask)))
        }
        "macaddr" => Some(hex(6, random)),
        "macaddr8" => Some(hex(8, random)),
        _ => None,
    }
}

/// With runs of zeros of every length, and IPv4 within.
fn v6(random: &mut Rng) -> Ipv6Addr {
    let mut groups = [0_u16; 8];
    for group in &mut groups {
        *group = match random.u32(..5) {
            0 | 1 => 0,
            2 => u16::from(random.u8(..)),
            3 => 0xffff,
            _ => random.u16(..),
        };
    }
    if random.u32(..4) == 0 {
        groups[..5].fill(0);
    }
    Ipv6Addr::from(groups)
}
