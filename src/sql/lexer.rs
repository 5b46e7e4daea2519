//! PostgreSQL's lexical rules, as far as telling code from literals and comments goes.
//!
//! The server's own scanner (`scan.l`, with `standard_conforming_strings` on) decides what is one token; see the manual,
//! "Lexical Structure". Where the scanner reports an error, this one takes what is left as the token and lets the server
//! speak.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or an identifier without quotes.
    Word,
    /// An identifier in double quotes, with or without `U&`.
    Quoted,
    /// A string constant of any kind, dollar-quoted ones included.
    String,
    /// A number.
    Number,
    /// `$1`; the number is `None` when it does not fit.
    Param(Option<u16>),
    /// An operator, or one of `( ) [ ] , ; : .` alone.
    Symbol,
}

/// A token and where it stands, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    /// Whether it is this keyword, in whatever case; a quoted identifier never is one.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is one of these keywords.
    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// Whether it is this symbol.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// Whether it names this lower-case function, type or schema, quoted or not.
    pub(super) fn names(&self, name: &str) -> bool {
        match self.kind {
            Kind::Word => self.text.eq_ignore_ascii_case(name),
            Kind::Quoted => self.text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) == Some(name),
            _ => false,
        }
    }

    /// The byte after its last.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The tokens of a text; white space and comments are left out.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
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

    /// Skips what stands in quotes; `at` is at the opening one. A doubled quote does not end it.
    fn skip_quoted(&mut self, quote: u8, backslashes: bool) {
        self.at += 1;
        while let Some(byte) = self.byte(0) {
            self.at += 1;
            if byte == b'\\' && backslashes {
                self.at += 1;
            } else if byte == quote {
                if self.byte(0) != Some(quote) {
                    return;
                }
                self.at += 1;
            }
        }
    }

    /// Skips a string and its continuations: constants with nothing but white space, a newline among it, between them are
    /// one constant, and the first one's prefix rules them all.
    fn skip_string(&mut self, backslashes: bool) {
        loop {
            self.skip_quoted(b'\'', backslashes);
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

    fn symbol(&mut self) {
        let mut first = true;
        while self.byte(0).is_some_and(is_operator) && (first || !(self.looking_at("--") || self.looking_at("/*"))) {
            self.at += 1;
            first = false;
        }
        if !first {
            return;
        }
        let two = ["::", ":=", ".."].into_iter().any(|symbol| self.looking_at(symbol));
        self.at += if two { 2 } else { 1 };
    }

    fn scan(&mut self, byte: u8) -> Kind {
        match (byte, self.byte(1), self.byte(2)) {
            (b'\'', ..) => {
                self.skip_string(false);
                Kind::String
            }
            (b'e' | b'E', Some(b'\''), _) => {
                self.at += 1;
                self.skip_string(true);
                Kind::String
            }
            (b'n' | b'N' | b'b' | b'B' | b'x' | b'X', Some(b'\''), _) => {
                self.at += 1;
                self.skip_string(false);
                Kind::String
            }
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => {
                self.at += 2;
                self.skip_string(false);
                Kind::String
            }
            (b'u' | b'U', Some(b'&'), Some(b'"')) => {
                self.at += 2;
                self.skip_quoted(b'"', false);
                Kind::Quoted
            }
            (b'"', ..) => {
                self.skip_quoted(b'"', false);
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
                self.skip_while(|byte| is_word_start(byte) || byte.is_ascii_digit() || byte == b'$');
                Kind::Word
            }
            _ => {
                self.symbol();
                Kind::Symbol
            }
        }
    }
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

fn is_operator(byte: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Lexer};

    fn texts(text: &str) -> Vec<&str> {
        Lexer::new(text).map(|token| token.text).collect()
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
    }

    #[test]
    fn parameters_have_numbers() {
        let kinds: Vec<_> = Lexer::new("$1 $32767 $99999999").map(|token| token.kind).collect();
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
            for token in Lexer::new(&text[..end]) {
                assert_eq!(&text[token.start..token.end()], token.text);
            }
        }
    }
}
