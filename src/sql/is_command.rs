use super::Dialect;

/// The words that Postgres's commands begin with.
const FIRST_WORDS: &[&str] = &[
    "abort",
    "alter",
    "analyse",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "fetch",
    "grant",
    "import",
    "insert",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "show",
    "start",
    "table",
    "truncate",
    "unlisten",
    "update",
    "vacuum",
    "values",
    "with",
];

/// Whether a text is empty or begins as a command of Postgres's does: for any other, a server has only a syntax error.
pub(crate) fn is_command(text: &str) -> bool {
    let mut tokens = Dialect::new().tokens(text).skip_while(|token| token.is_symbol("(") || token.is_symbol(";"));
    tokens.next().is_none_or(|first| first.is_any(FIRST_WORDS))
}

#[cfg(test)]
mod tests {
    use super::is_command;

    #[test]
    fn commands_are_told_by_their_first_word() {
        for text in ["", " ; ", "-- x", "Select 1", "/* a */ ((with a as (select 1) table a))", "; vacuum", "CALL p()"]
        {
            assert!(is_command(text), "{text}");
        }
        for text in ["selec 1", "\"select\" 1", "1", "$1", "foo", "(x)", "'select'"] {
            assert!(!is_command(text), "{text}");
        }
    }
}
