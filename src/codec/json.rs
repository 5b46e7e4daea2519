//! jsonb, jsonpath, ltree, lquery and ltxtquery: a version number, then the text.

use super::{Reason, text};

pub(super) const VERSION: u8 = 1;

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    out.push(VERSION);
    text::to_binary(text, out)
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    match binary.split_first() {
        Some((&VERSION, rest)) => text::to_text(rest, out),
        _ => Err("its binary form has another version than 1"),
    }
}
