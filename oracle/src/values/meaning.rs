use anyhow::Result;
use bytes::Bytes;
use fastrand::Rng;
use pgferry::codec::Type;

use super::{
    ask::{Sample, parameter},
    compare::shown,
};
use crate::{
    tcp::{Connection, Format},
    types::TypeEntry,
};

/// Alters a value's binary form as a client might send it. Where both the codec and the server take it, they must take it for
/// the same value; says where they do not.
pub(super) fn meaning(
    connection: &mut Connection,
    entry: &TypeEntry,
    conversion: &Type,
    sample: &Sample,
    random: &mut Rng,
) -> Result<Option<String>> {
    let binary = altered(&sample.binary, random);
    let mut text = String::new();
    if binary == sample.binary || conversion.binary_to_text(&binary, &mut text).is_err() {
        return Ok(None);
    }
    let Ok(taken) = parameter(connection, entry.oid, Format::Binary, &binary)? else { return Ok(None) };
    Ok(match parameter(connection, entry.oid, Format::Text, text.as_bytes())? {
        Ok(ours) if ours == taken => None,
        Ok(ours) => Some(format!(
            "{} is {} to the server, but the codec's {text:?} is {}",
            shown(&binary),
            String::from_utf8_lossy(&taken),
            String::from_utf8_lossy(&ours)
        )),
        Err(failure) => Some(format!(
            "{} is {} to the server, which refuses the codec's {text:?}: {failure}",
            shown(&binary),
            String::from_utf8_lossy(&taken)
        )),
    })
}

fn altered(binary: &[u8], random: &mut Rng) -> Bytes {
    let mut altered = binary.to_vec();
    let at = random.usize(..altered.len().max(1));
    match random.u32(..6) {
        0 => altered.truncate(at),
        1 => altered.push(random.u8(..)),
        2 => altered.insert(at.min(altered.len()), random.u8(..)),
        kind => {
            if let Some(byte) = altered.get_mut(at) {
                *byte = match kind {
                    3 => byte.wrapping_add(1),
                    4 => *byte ^ (1 << random.u32(..8)),
                    _ => random.choice([0x00, 0x01, 0x7f, 0x80, 0xff]).unwrap_or(0),
                };
            }
        }
    }
    altered.into()
}
