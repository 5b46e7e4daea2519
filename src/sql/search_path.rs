//! What a statement does to the search path, by which names are read.

use super::{Dialect, split::Statements};

/// Tells whether a text may change what names mean from then on, erring on the side of yes: whether it sets or resets `search_path`, or
/// the user that `"$user"` stands for, or runs a procedure or DO block, which may.
///
/// What other functions do inside is not seen.
#[must_use]
pub(crate) fn may_move_names(text: &str) -> bool {
    const MOVES: [&str; 5] = ["search_path", "schema", "role", "authorization", "all"];
    Statements::new(Dialect::new(), text).any(|(range, dialect)| {
        let Some(one) = text.get(range) else { return false };
        let mut tokens = dialect.tokens(one);
        let Some(first) = tokens.next() else { return false };
        if first.is_any(&["call", "do", "discard"]) {
            return true;
        }
        if first.is_any(&["set", "reset"]) {
            return tokens.any(|token| token.is_any(&MOVES) || token.names("search_path"));
        }
        tokens.any(|token| token.names("set_config"))
    })
}

#[cfg(test)]
mod tests {
    use super::may_move_names;

    #[test]
    fn what_changes_the_search_path_is_told_by_the_text() {
        for text in [
            "set search_path = a",
            "begin; SET LOCAL \"search_path\" TO a",
            "set schema 'a'",
            "set role a",
            "set session authorization a",
            "reset all",
            "discard all",
            "select set_config('search_path', 'a', false)",
            "select pg_catalog.\"set_config\"('search_path', 'a', true)",
            "call p()",
            "do $$ begin end $$",
        ] {
            assert!(may_move_names(text), "{text}");
        }
        for text in
            ["", "set timezone = 'UTC'", "begin", "update t set search_path = 1", "select 'set_config'", "show all"]
        {
            assert!(!may_move_names(text), "{text}");
        }
    }
}
