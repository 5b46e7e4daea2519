//! Searches for bytes that are near: most values are short, and a search that is made for long ones costs more than they do.

use memchr::memchr2;

const WORD: usize = size_of::<u64>();

/// How far a quote is looked for before a search that is made for long texts takes over, in words.
const NEAR: usize = 8;

/// Returns where the first quote or backslash is.
#[inline]
pub(super) fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks();
    let mut skipped = 0;
    for word in words.iter().take(NEAR) {
        if let Some(found) = first(matches(word, b'"') | matches(word, b'\\')) {
            return Some(skipped + found);
        }
        skipped += WORD;
    }
    memchr2(b'"', b'\\', bytes.get(skipped..)?).map(|found| skipped + found)
}

/// Returns where a word's first backslash is.
#[inline]
pub(super) fn backslash(word: &[u8; WORD]) -> Option<usize> {
    first(matches(word, b'\\'))
}

/// Sets the highest bit of each byte that is the sought one. Such a bit can be wrong above a right one, but not below.
fn matches(word: &[u8; WORD], sought: u8) -> u64 {
    const LOWEST: u64 = u64::from_le_bytes([0x01; WORD]);
    const HIGHEST: u64 = u64::from_le_bytes([0x80; WORD]);
    let difference = u64::from_le_bytes(*word) ^ u64::from_le_bytes([sought; WORD]);
    difference.wrapping_sub(LOWEST) & !difference & HIGHEST
}

fn first(matches: u64) -> Option<usize> {
    (matches != 0).then(|| matches.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::{WORD, backslash, quote_or_backslash};

    /// Any byte before or behind, even those that differ from a sought one by a bit.
    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for around in 0..=u8::MAX {
            for length in [0, 1, 7, 8, 9, 63, 64, 65, 71, 72, 200] {
                let mut bytes = vec![around; length];
                let plain = !matches!(around, b'"' | b'\\');
                assert_eq!(quote_or_backslash(&bytes), (!plain && length > 0).then_some(0));
                for at in 0..length {
                    for sought in *b"\"\\" {
                        bytes[at] = sought;
                        assert_eq!(quote_or_backslash(&bytes), Some(if plain { at } else { 0 }), "{around} {length}");
                        bytes[at] = around;
                    }
                }
            }
            for at in 0..WORD {
                let mut word = [around; WORD];
                word[at] = b'\\';
                assert_eq!(backslash(&word), Some(if around == b'\\' { 0 } else { at }));
                word[at] = b'\\' + 1;
                assert_eq!(backslash(&word), word.iter().position(|&byte| byte == b'\\'));
            }
        }
    }
}
