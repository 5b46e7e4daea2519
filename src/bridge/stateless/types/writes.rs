/// Whether a statement may change rows, erring on the side of yes: a word of its text may be a name, or part of a string.
pub(super) fn may_write(text: &str) -> bool {
    let is_boundary = |byte: u8| !(byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii());
    text.as_bytes()
        .split(|byte| is_boundary(*byte))
        .any(|word| [&b"insert"[..], b"update", b"delete", b"merge"].iter().any(|verb| word.eq_ignore_ascii_case(verb)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_rows_are_found_wherever_they_are() {
        for text in [
            "insert into t values (1) returning a",
            "UPDATE t set a = 1 returning *",
            "with gone as (delete from t returning a) select a from gone",
            "/* a */merge into t using s on true when matched then delete",
        ] {
            assert!(may_write(text), "{text}");
        }
    }

    #[test]
    fn statements_that_only_read_are_told_apart() {
        for text in
            ["", "select 1", "select updated_at, is_delete from inserts", "values ($1)", "select caf\u{e9}update"]
        {
            assert!(!may_write(text), "{text}");
        }
    }
}
