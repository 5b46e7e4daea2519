use fastrand::Rng;

use super::literal::{below, one_in};

/// What quoting, escaping and encodings get wrong.
const PIECES: [&str; 44] = [
    "a",
    "b",
    "Z",
    "0",
    " ",
    "  ",
    ",",
    ";",
    "\"",
    "\"\"",
    "'",
    "\\",
    "\\\\",
    "\\n",
    "\n",
    "\r",
    "\t",
    "\u{b}",
    "\u{c}",
    "\u{1}",
    "\u{7f}",
    "\u{80}",
    "\u{a0}",
    "\u{feff}",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "NULL",
    "null",
    "é",
    "ß",
    "漢",
    "😀",
    "e\u{301}",
    "\u{10ffff}",
    "=>",
    "empty",
    "$1",
    "--",
    "/*",
    "infinity",
];

/// A text of the character types.
pub(super) fn text(name: &str, random: &mut Rng) -> Option<String> {
    let text = match name {
        "text" | "varchar" | "bpchar" | "citext" | "cstring" | "unknown" => any(random),
        "name" => {
            let mut text = any(random);
            while text.len() > 63 {
                text.pop();
            }
            text
        }
        "char" if one_in(3, random) => format!("\\{:03o}", random.u8(128..)),
        "char" => char::from(random.u8(1..128)).to_string(),
        "refcursor" => word(random),
        _ => return None,
    };
    Some(text)
}

pub(super) fn any(random: &mut Rng) -> String {
    let length = if one_in(50, random) { below(3000, random) } else { below(16, random) };
    (0..length).filter_map(|_| random.choice(PIECES)).collect()
}

pub(super) fn word(random: &mut Rng) -> String {
    let length = random.usize(1..9);
    std::iter::repeat_with(|| if one_in(8, random) { random.digit(10) } else { random.lowercase() })
        .take(length)
        .collect()
}
