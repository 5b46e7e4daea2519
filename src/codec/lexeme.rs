//! What tsvector and tsquery share: quoted lexemes and the weights behind them.

use super::Reason;

/// The weights, from the lightest, as bits or numbers of the binary form.
pub(super) const WEIGHTS: &str = "DCBA";

/// Appends a lexeme in quotes.
pub(super) fn push(lexeme: &str, out: &mut String) {
    out.push('\'');
    for character in lexeme.chars() {
        if matches!(character, '\'' | '\\') {
            out.push(character);
        }
        out.push(character);
    }
    out.push('\'');
}

/// Appends the quoted lexeme at the beginning of a text, with a NUL behind it, and returns the rest of the text.
pub(super) fn read<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, Reason> {
    const NO_LEXEME: Reason = "not a lexeme in single quotes";
    let start = out.len();
    let mut rest = text.strip_prefix('\'').ok_or(NO_LEXEME)?;
    loop {
        let at = memchr::memchr2(b'\'', b'\\', rest.as_bytes()).ok_or(NO_LEXEME)?;
        let (plain, special) = rest.split_at_checked(at).ok_or(NO_LEXEME)?;
        out.extend_from_slice(plain.as_bytes());
        let mut characters = special.chars();
        let quote = characters.next();
        let behind = characters.as_str();
        let escaped = characters.next();
        match (quote, escaped) {
            (Some('\''), Some('\'')) | (Some('\\'), Some(_)) => {
                out.extend_from_slice(escaped.unwrap_or_default().encode_utf8(&mut [0; 4]).as_bytes());
                rest = characters.as_str();
            }
            (Some('\''), _) if out.len() == start => return Err("an empty lexeme"),
            (Some('\''), _) => {
                out.push(0);
                return Ok(behind);
            }
            _ => return Err(NO_LEXEME),
        }
    }
}
