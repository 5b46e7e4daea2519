/// What a statement that returns rows or changes them begins with.
const WORDS: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "MERGE"];

/// Returns whether a text is, by its first word, a statement that can neither begin or end a transaction nor copy from or to the
/// client, so that others may be sent behind it before it is answered.
///
/// A text of several statements is none either: Postgres refuses it as a whole.
pub(super) fn is_plain(text: &str) -> bool {
    // White space as Postgres's lexer has it. Behind a comment or a parenthesis nothing is looked for.
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let word = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).next().unwrap_or_default();
    WORDS.iter().any(|plain| plain.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides() {
        for plain in ["select 1", "\n\tSELECT", "with a as (select 1) table a", "Insert into t values (1)", "VALUES(1)"]
        {
            assert!(is_plain(plain), "{plain}");
        }
        for other in [
            "",
            "begin",
            "COMMIT",
            "copy t from stdin",
            "selectt 1",
            "select_",
            "select$ 1",
            "/* a */ select 1",
            "(select 1)",
            "call p()",
            "; select 1",
            "\u{a0}select 1",
            "sélect 1",
        ] {
            assert!(!is_plain(other), "{other}");
        }
    }
}
