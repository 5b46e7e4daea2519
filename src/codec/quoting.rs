//! Quoting: of names in SQL, and of the parts of ranges and composites in text.

use std::borrow::Cow;

use super::Reason;

const ENDLESS: Reason = "a part of it does not end";

/// Returns a qualified name as SQL takes it.
pub(super) fn identifier(schema: &str, name: &str) -> String {
    let mut identifier = String::with_capacity(schema.len() + name.len() + 5);
    // The first word of a name may not be a keyword; the one behind the dot may.
    push_identifier(schema, matches!(schema, "pg_catalog" | "public"), &mut identifier);
    identifier.push('.');
    push_identifier(name, is_plain(name), &mut identifier);
    identifier
}

fn push_identifier(name: &str, plain: bool, out: &mut String) {
    if plain {
        out.push_str(name);
        return;
    }
    out.push('"');
    push_doubled(name, |character| character == '"', out);
    out.push('"');
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether Postgres takes the byte for white space, whatever the locale.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Quotes what stands in `out` from `start` on, as `record_out` and `range_out` do, if it is empty or has a special byte.
pub(super) fn quote_from(start: usize, special: impl Fn(u8) -> bool, out: &mut String) -> Result<(), Reason> {
    let part = out.get(start..).unwrap_or_default();
    check_length(part)?;
    if !part.is_empty() && !part.bytes().any(|byte| matches!(byte, b'"' | b'\\') || is_space(byte) || special(byte)) {
        return Ok(());
    }
    let part = out.split_off(start);
    out.push('"');
    push_doubled(&part, |character| matches!(character, '"' | '\\'), out);
    out.push('"');
    Ok(())
}

/// Checks the length of a part that may have to be quoted: every level of nesting doubles the quotes of those inside it.
pub(super) fn check_length(part: &str) -> Result<(), Reason> {
    /// Postgres's own limit, `MaxAllocSize`.
    const MAX_LENGTH: usize = 0x3fff_ffff;
    if part.len() > MAX_LENGTH { Err("it becomes too long a text") } else { Ok(()) }
}

fn push_doubled(text: &str, doubled: impl Fn(char) -> bool, out: &mut String) {
    for character in text.chars() {
        if doubled(character) {
            out.push(character);
        }
        out.push(character);
    }
}

/// Reads the parts of a text one by one.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes the byte if it is next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Whether all has been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Takes what stands before one of the bytes that end it; a backslash makes what follows stand for itself.
    pub(super) fn escaped_until(&mut self, ends: impl Fn(u8) -> bool) -> Result<Cow<'a, str>, Reason> {
        let mut unescaped: Option<String> = None;
        let mut from = self.at;
        loop {
            let byte = self.peek().ok_or(ENDLESS)?;
            if ends(byte) {
                break;
            }
            if byte == b'\\' {
                unescaped.get_or_insert_default().push_str(self.text.get(from..self.at).ok_or(ENDLESS)?);
                self.at += 1;
                from = self.at;
                // The rest of a longer character stands for itself anyway.
                self.peek().ok_or(ENDLESS)?;
            }
            self.at += 1;
        }
        Ok(joined(unescaped, self.text.get(from..self.at).ok_or(ENDLESS)?))
    }

    /// Takes a part up to one of the bytes that end it, without its quotes; `None` if there is nothing, not even quotes.
    ///
    /// As `record_in` and `range_in` read it: a backslash makes what follows stand for itself, and so does a second quote
    /// within quotes.
    pub(super) fn part(&mut self, ends: impl Fn(u8) -> bool) -> Result<Option<Cow<'a, str>>, Reason> {
        let first = self.at;
        let mut unquoted: Option<String> = None;
        // What stands from here on is still to be taken over.
        let mut from = self.at;
        let mut quoted = false;
        loop {
            let byte = self.peek().ok_or(ENDLESS)?;
            if byte != b'"' && byte != b'\\' {
                if !quoted && ends(byte) {
                    break;
                }
                self.at += 1;
                continue;
            }
            let text = unquoted.get_or_insert_default();
            text.push_str(self.text.get(from..self.at).ok_or(ENDLESS)?);
            self.at += 1;
            from = self.at;
            let doubled = byte == b'"' && quoted && self.peek() == Some(b'"');
            if doubled || byte == b'\\' {
                // The rest of a longer character stands for itself anyway.
                self.peek().ok_or(ENDLESS)?;
                self.at += 1;
            } else {
                quoted = !quoted;
            }
        }
        let rest = self.text.get(from..self.at).ok_or(ENDLESS)?;
        Ok((self.at > first).then(|| joined(unquoted, rest)))
    }
}

/// What was taken over already, with the rest behind it.
fn joined(taken: Option<String>, rest: &str) -> Cow<'_, str> {
    match taken {
        Some(mut text) => {
            text.push_str(rest);
            Cow::Owned(text)
        }
        None => Cow::Borrowed(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, identifier, quote_from};

    #[test]
    fn names_are_quoted_where_needed() {
        assert_eq!(identifier("public", "mood"), "public.mood");
        assert_eq!(identifier("user", "select"), r#""user".select"#);
        assert_eq!(identifier("a\"b", "c.d"), r#""a""b"."c.d""#);
        assert_eq!(identifier("public", "1st"), r#"public."1st""#);
        assert_eq!(identifier("public", ""), r#"public."""#);
        assert_eq!(identifier("public", "größe"), r#"public."größe""#);
    }

    #[test]
    fn parts_are_read_as_they_were_quoted() {
        for value in ["", "a", "a b", "\"", "\\", "a\"\\\"b", "é,ü", ",", "\u{b}"] {
            let mut text = value.to_owned();
            quote_from(0, |byte| byte == b',', &mut text).unwrap();
            text.push(',');
            let mut cursor = Cursor::new(&text);
            assert_eq!(cursor.part(|byte| byte == b',').unwrap().as_deref(), Some(value), "{text}");
            assert!(cursor.eat(b',') && cursor.is_at_end());
        }
    }

    #[test]
    fn parts_may_be_quoted_in_the_middle() {
        let read =
            |text: &str| Cursor::new(text).part(|byte| byte == b')').map(|part| part.map(|part| part.into_owned()));
        assert_eq!(read("a\"b)\"c\\é\\))").unwrap().unwrap(), "ab)cé)");
        assert_eq!(read("\"\")").unwrap().unwrap(), "");
        assert_eq!(read(")").unwrap(), None);
        assert!(read("a").is_err());
        assert!(read("\"a)").is_err());
        assert!(read("a\\").is_err());
    }
}
