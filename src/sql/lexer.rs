//! PostgreSQL's lexical rules, as far as telling code from literals and comments goes.
//!
//! The server's own scanner (`scan.l`) decides what is one token; see the manual, "Lexical Structure". Where the scanner reports
//! an error, this one takes what is left as the token and lets the server speak.

use super::{
    Dialect,
    token::{Kind, Token},
};

/// The tokens of a text; white space and comments are left out.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { text, at: 0, dialect }
    }

    /// Reads what follows in another dialect.
    pub(super) fn switch(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn looking_at(&self, prefix: &str) -> bool {
        self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(prefix.as_bytes()))
    }

    fn skip_while(&mut self, matches: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&matches) {
            self.at += 1;
        }
    }

    fn skip_line_comment(&mut self) {
        self.skip_while(|byte| byte != b'\n' && byte != b'\r');
    }

    /// Comments nest, unlike those of C.
    fn skip_block_comment(&mut self) {
        self.at += 2;
        let mut depth = 1_usize;
        while depth > 0 && self.at < self.text.len() {
            if self.looking_at("/*") {
                depth += 1;
                self.at += 2;
            } else if self.looking_at("*/") {
                depth -= 1;
                self.at += 2;
            } else {
                self.at += 1;
            }
        }
    }

    fn skip_trivia(&mut self) {
        loop {
            self.skip_while(is_space);
            if self.looking_at("--") {
                self.skip_line_comment();
            } else if self.looking_at("/*") {
                self.skip_block_comment();
            } else {
                return;
            }
        }
    }

    /// Skips what stands in quotes; `at` is at the opening one.
    fn skip_quoted(&mut self, quote: u8, inside: Inside) {
        self.at += 1;
        while let Some(byte) = self.byte(0) {
            self.at += 1;
            if byte == b'\\' && inside == Inside::Backslashes {
                self.at += 1;
            } else if byte == quote {
                if self.byte(0) != Some(quote) || inside == Inside::Digits {
                    return;
                }
                self.at += 1;
            }
        }
    }

    /// Skips a string and its continuations: constants with nothing but white space, a newline among it, between them are
    /// one constant, and the first one's prefix rules them all.
    fn skip_string(&mut self, inside: Inside) {
        loop {
            self.skip_quoted(b'\'', inside);
            let end = self.at;
            let mut newline = false;
            loop {
                match self.byte(0) {
                    Some(b'\n' | b'\r') => newline = true,
                    Some(byte) if is_space(byte) => {}
                    Some(b'-') if self.looking_at("--") => {
                        self.skip_line_comment();
                        continue;
                    }
                    Some(b'\'') if newline => break,
                    _ => {
                        self.at = end;
                        return;
                    }
                }
                self.at += 1;
            }
        }
    }

    /// Skips a dollar-quoted string if one begins here.
    fn skip_dollar_quoted(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let mut tag_end = self.at + 1;
        while let Some(&byte) = bytes.get(tag_end) {
            let fits = is_word_start(byte) || (byte.is_ascii_digit() && tag_end > self.at + 1);
            if !fits {
                break;
            }
            tag_end += 1;
        }
        if bytes.get(tag_end) != Some(&b'$') {
            return false;
        }
        let Some((delimiter, rest)) = self.text.get(self.at..=tag_end).zip(self.text.get(tag_end + 1..)) else {
            return false;
        };
        self.at = match rest.find(delimiter) {
            Some(length) => tag_end + 1 + length + delimiter.len(),
            None => self.text.len(),
        };
        true
    }

    fn number(&mut self) -> Kind {
        let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let hexadecimal = self.byte(0) == Some(b'0') && matches!(self.byte(1), Some(b'x' | b'X'));
        self.skip_number_part(part, hexadecimal);
        // `1..2` is two numbers, as in a PL/pgSQL loop.
        if self.byte(0) == Some(b'.') && self.byte(1) != Some(b'.') {
            self.at += 1;
            self.skip_number_part(part, hexadecimal);
        }
        Kind::Number
    }

    fn skip_number_part(&mut self, part: impl Fn(u8) -> bool, hexadecimal: bool) {
        self.skip_while(&part);
        let exponent = !hexadecimal
            && self.at > 0
            && matches!(self.text.as_bytes().get(self.at - 1), Some(b'e' | b'E'))
            && matches!(self.byte(0), Some(b'+' | b'-'))
            && self.byte(1).is_some_and(|byte| byte.is_ascii_digit());
        if exponent {
            self.at += 1;
            self.skip_while(part);
        }
    }

    /// Skips the UESCAPE that may follow an identifier or a string with `U&`, and so belongs to it.
    fn skip_uescape(&mut self) {
        let end = self.at;
        self.skip_trivia();
        let word = self.at;
        self.skip_while(is_word_part);
        let keyword = self.text.get(word..self.at).is_some_and(|word| word.eq_ignore_ascii_case("uescape"));
        self.skip_trivia();
        if keyword && self.byte(0) == Some(b'\'') {
            self.skip_string(self.plain());
        } else {
            self.at = end;
        }
    }

    /// An operator goes as far as its characters do, but not into a comment. Where Postgres would make several of them, as of
    /// `=-`, nothing here depends on it.
    fn symbol(&mut self) {
        let start = self.at;
        let comment = |lexer: &Self| lexer.at > start && (lexer.looking_at("--") || lexer.looking_at("/*"));
        while self.byte(0).is_some_and(is_operator) && !comment(self) {
            self.at += 1;
        }
        if self.at == start {
            let two = ["::", ":=", ".."].into_iter().any(|symbol| self.looking_at(symbol));
            // A character that means nothing to Postgres is ASCII: the others are letters.
            self.at += if two { 2 } else { 1 };
        }
    }

    fn plain(&self) -> Inside {
        if self.dialect.has_standard_strings() { Inside::Doubled } else { Inside::Backslashes }
    }

    fn scan(&mut self, byte: u8) -> Kind {
        match (byte, self.byte(1), self.byte(2)) {
            (b'\'', ..) => {
                self.skip_string(self.plain());
                Kind::String
            }
            (b'e' | b'E', Some(b'\''), _) => {
                self.at += 1;
                self.skip_string(Inside::Backslashes);
                Kind::String
            }
            (b'n' | b'N', Some(b'\''), _) => {
                self.at += 1;
                self.skip_string(self.plain());
                Kind::String
            }
            (b'b' | b'B' | b'x' | b'X', Some(b'\''), _) => {
                self.at += 1;
                self.skip_string(Inside::Digits);
                Kind::String
            }
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => {
                self.at += 2;
                self.skip_string(Inside::Doubled);
                self.skip_uescape();
                Kind::String
            }
            (b'u' | b'U', Some(b'&'), Some(b'"')) => {
                self.at += 2;
                self.skip_quoted(b'"', Inside::Doubled);
                self.skip_uescape();
                Kind::Quoted
            }
            (b'"', ..) => {
                self.skip_quoted(b'"', Inside::Doubled);
                Kind::Quoted
            }
            (b'$', Some(b'0'..=b'9'), _) => {
                self.at += 1;
                let digits = self.at;
                self.skip_while(|byte| byte.is_ascii_digit());
                Kind::Param(self.text.get(digits..self.at).and_then(|digits| digits.parse().ok()))
            }
            (b'$', ..) if self.skip_dollar_quoted() => Kind::String,
            (b'0'..=b'9', ..) | (b'.', Some(b'0'..=b'9'), _) => self.number(),
            (byte, ..) if is_word_start(byte) => {
                self.skip_while(is_word_part);
                Kind::Word
            }
            _ => {
                self.symbol();
                Kind::Symbol
            }
        }
    }
}

/// How a quote stands inside what is quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Twice.
    Doubled,
    /// Twice, or behind a backslash.
    Backslashes,
    /// Never, as in `B'01'`.
    Digits,
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_trivia();
        let start = self.at;
        let kind = self.scan(self.byte(0)?);
        // A backslash at the end can have led beyond it; a token ends where a character does, since only ASCII ends one.
        self.at = self.at.min(self.text.len());
        Some(Token { kind, text: self.text.get(start..self.at)?, start })
    }
}

/// Vertical tab is white space since PostgreSQL 16, and an error before.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Every byte of a character beyond ASCII counts as a letter.
fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_operator(byte: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Kind, Lexer};

    fn texts(text: &str) -> Vec<&str> {
        Lexer::new(text, Dialect::new()).map(|token| token.text).collect()
    }

    #[test]
    fn literals_are_one_token() {
        for literal in [
            "'a;b'",
            "'it''s'",
            "'a\\'",
            r"E'a\'b;'",
            r"e'\\'",
            "U&'\\0041'",
            "U&\"d\\0061t\"",
            "N'x'",
            "b'01'",
            "X'1F'",
            "$$a;'b$$",
            "$tag$ $$ $1 $tag$",
            "$té1$;$té1$",
            "\"a\"\"b;\"",
            "'a'  \n -- c\n 'b;'",
            "e'a'\n'b\\''",
            "1.5e-10",
            ".5",
            "0x1e",
            "1_000",
            "1e+5",
            "U&'d!0061' uescape '!'",
            "U&\"d!0061\" /* c */ UEscape '!'",
            "B'01'\n'10'",
        ] {
            assert_eq!(texts(literal), [literal]);
        }
    }

    #[test]
    fn neighbours_stay_apart() {
        assert_eq!(texts("a$1$b"), ["a$1$b"]);
        assert_eq!(texts("'a' 'b'"), ["'a'", "'b'"]);
        assert_eq!(texts("'a' -- c\n'b'"), ["'a' -- c\n'b'"]);
        assert_eq!(texts("1..2"), ["1", "..", "2"]);
        assert_eq!(texts("$1::text"), ["$1", "::", "text"]);
        assert_eq!(texts("a-- b\n+c"), ["a", "+", "c"]);
        assert_eq!(texts("1-/*c*/2"), ["1", "-", "2"]);
        assert_eq!(texts("a/* x /* y */ ; */b"), ["a", "b"]);
        assert_eq!(texts("x->>'a'"), ["x", "->>", "'a'"]);
        assert_eq!(texts("0x1e-5"), ["0x1e", "-", "5"]);
        assert_eq!(texts("a.b[1]"), ["a", ".", "b", "[", "1", "]"]);
        assert_eq!(texts("$ a"), ["$", "a"]);
        assert_eq!(texts("b'0''1'"), ["b'0'", "'1'"]);
        assert_eq!(texts("1@-1"), ["1", "@-", "1"]);
        assert_eq!(texts("*/*c*/+--"), ["*", "+"]);
        assert_eq!(texts("U&\"a\" uescapes 'x'"), ["U&\"a\"", "uescapes", "'x'"]);
        assert_eq!(texts("$1$a$ $1$a$"), ["$1", "$a$ $1$a$"]);
        assert_eq!(texts("a$$b$$"), ["a$$b$$"]);
        assert_eq!(texts("1$$b$$"), ["1", "$$b$$"]);
        assert_eq!(texts("\u{feff}a \u{a0}b"), ["\u{feff}a", "\u{a0}b"]);
    }

    #[test]
    fn backslashes_escape_where_strings_are_not_standard() {
        let dialect = Dialect::new().standard_conforming_strings(false);
        let texts = |text| Lexer::new(text, dialect).map(|token| token.text).collect::<Vec<_>>();
        for text in ["'a\\'b;'", "n'a\\'b;'", "'a'\n'b\\'c;'"] {
            assert_eq!(texts(text), [text]);
        }
        assert_eq!(texts("x'a\\'b"), ["x'a\\'", "b"]);
        assert_eq!(texts("$$\\$$b"), ["$$\\$$", "b"]);
        assert_eq!(texts("\"a\\\"b"), ["\"a\\\"", "b"]);
    }

    #[test]
    fn parameters_have_numbers() {
        let kinds: Vec<_> = Lexer::new("$1 $32767 $99999999", Dialect::new()).map(|token| token.kind).collect();
        assert_eq!(kinds, [Kind::Param(Some(1)), Kind::Param(Some(32767)), Kind::Param(None)]);
    }

    #[test]
    fn what_has_no_end_ends_with_the_text() {
        for text in ["'a", "E'a\\", "\"a", "$$a", "$a$ $b$", "E'é\\é"] {
            assert_eq!(texts(text), [text]);
        }
        assert!(texts("/* a").is_empty());
        assert!(texts("-- a").is_empty());
        assert!(texts("/* é").is_empty());
    }

    #[test]
    fn every_prefix_of_nasty_text_is_cut_at_characters() {
        let text = "sélect E'\\é' || $é$ü$é$ /* ö */ \"ä\" -- é\n$1€ ☃ 😀";
        for (end, _) in text.char_indices() {
            for token in Lexer::new(&text[..end], Dialect::new()) {
                assert_eq!(&text[token.start..token.end()], token.text);
            }
        }
    }
}
