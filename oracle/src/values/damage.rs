use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use pgferry::codec::Type;

use super::{ask::Sample, compare::shown};

const LONGEST: usize = 160;
const BYTES: [u8; 6] = [0x00, 0x01, 0x7f, 0x80, 0xff, b'"'];
const PIECES: [&str; 16] = ["", "{", "}", "(", ")", "[", "]", "\\", "\"", ":", "-", "9", "é", ".", " ", ","];

/// Cuts and alters both forms of a value: an error or another value may come of it, never a panic, which is returned.
pub(super) fn damage(conversion: &Type, sample: &Sample, random: &mut Rng) -> Option<String> {
    let binary = sample.binary.as_ref();
    if binary.len() > LONGEST || sample.text.len() > LONGEST {
        return None;
    }
    for at in 0..=binary.len() {
        let (before, after) = binary.split_at(at);
        let mut damaged = vec![before.to_vec(), after.to_vec()];
        if let Some((_, rest)) = after.split_first() {
            damaged.extend(BYTES.iter().map(|&byte| [before, &[byte], rest].concat()));
            damaged.push([before, &[random.u8(..)], rest].concat());
        }
        for bytes in damaged {
            let converted = || conversion.binary_to_text(&bytes, &mut String::new()).is_ok();
            if catch_unwind(AssertUnwindSafe(converted)).is_err() {
                return Some(format!("panics at {}", shown(&bytes)));
            }
        }
    }
    let text = std::str::from_utf8(&sample.text).ok()?;
    for (at, character) in text.char_indices() {
        let (before, after) = text.split_at(at);
        let rest = after.get(character.len_utf8()..).unwrap_or_default();
        let altered = PIECES.iter().map(|piece| [before, piece, rest].concat());
        for damaged in [before.to_owned(), after.to_owned()].into_iter().chain(altered) {
            let converted = || conversion.text_to_binary(&damaged, &mut Vec::new()).is_ok();
            if catch_unwind(AssertUnwindSafe(converted)).is_err() {
                return Some(format!("panics at {damaged:?}"));
            }
        }
    }
    None
}
