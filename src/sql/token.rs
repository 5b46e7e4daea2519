use std::borrow::Cow;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or an identifier without quotes.
    Word,
    /// An identifier in double quotes; with `U&`, its UESCAPE is part of it.
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

impl<'a> Token<'a> {
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
        self.is(name) || self.kind == Kind::Quoted && self.identifier().is_some_and(|identifier| identifier == name)
    }

    /// The name that it stands for; `None` if it is no identifier.
    pub(super) fn identifier(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Word if self.text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Some(Cow::Owned(self.text.to_ascii_lowercase()))
            }
            Kind::Word => Some(Cow::Borrowed(self.text)),
            Kind::Quoted if self.text.starts_with('"') => {
                let name = self.text.strip_prefix('"')?.strip_suffix('"')?;
                Some(if name.contains('"') { Cow::Owned(name.replace("\"\"", "\"")) } else { Cow::Borrowed(name) })
            }
            Kind::Quoted => unicode_identifier(self.text).map(Cow::Owned),
            _ => None,
        }
    }

    /// The byte after its last.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Decodes `U&"d\0061t" UESCAPE '\'`.
fn unicode_identifier(text: &str) -> Option<String> {
    let inner = text.get(3..)?;
    let close = inner.rfind('"')?;
    // The escape character may itself be a double quote only in error.
    let escape = inner.get(close..)?.split('\'').nth(1).map_or(Some('\\'), |escape| escape.chars().next())?;
    let mut name = String::new();
    let mut rest = inner.get(..close)?.chars();
    while let Some(character) = rest.next() {
        let doubled = rest.as_str().starts_with(character);
        if character == '"' || character == escape && doubled {
            rest.next();
        } else if character == escape {
            let digits = if rest.as_str().starts_with('+') { 1..7 } else { 0..4 };
            let length = digits.end;
            name.push(char::from_u32(u32::from_str_radix(rest.as_str().get(digits)?, 16).ok()?)?);
            rest = rest.as_str().get(length..)?.chars();
            continue;
        }
        name.push(character);
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::super::{Dialect, lexer::Lexer};

    #[test]
    fn identifiers_stand_for_names() {
        for (text, name) in [
            ("Ab$", Some("ab$")),
            ("É", Some("É")),
            ("\"A\"\"b\"", Some("A\"b")),
            (r#"U&"d\0061t\+000061\\""#, Some(r"data\")),
            (r#"u&"d!0061" uescape '!'"#, Some("da")),
            (r#"U&"d\00""#, None),
            ("\"a", None),
            ("'a'", None),
            ("1", None),
        ] {
            let token = Lexer::new(text, Dialect::new()).next().unwrap();
            assert_eq!(token.identifier().as_deref(), name, "{text}");
        }
    }
}
