//! Which functions a statement calls by its words.

use super::{
    Dialect,
    token::{Kind, Token},
};

/// The names before opening parentheses, lower-case where they are not quoted, whatever schema is before them; some of them are
/// keywords. What views, operators and casts call is not seen.
pub(super) fn called(dialect: Dialect, text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut last = None::<Token<'_>>;
    for token in dialect.tokens(text) {
        if token.is_symbol("(")
            && let Some(name) = last.filter(|last| matches!(last.kind, Kind::Word | Kind::Quoted))
            && let Some(name) = name.identifier()
        {
            names.push(name.into_owned());
        }
        last = Some(token);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_before_parentheses_are_calls() {
        for (text, expected) in [
            ("select 'f(1)', /* g(2) */ (1, 2), 3", &[][..]),
            ("select F(1), s.\"G\" (2) from h(3) -- i(4)", &["f", "G", "h"]),
            ("select 1 where 1 in (1) and f ()", &["in", "f"]),
            (r"select 'a\', f(1), '", &["f"]),
        ] {
            assert_eq!(called(Dialect::new(), text), expected, "{text}");
        }
    }
}
