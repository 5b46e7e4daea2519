//! Which of a transaction's statements an error is of, where Postgres says no more than a character's number.

use crate::error::Error;

/// Returns which of the statements failed, and at which character, from 0: the only one that has, where the error points, what
/// the error names.
pub(crate) fn culprit<S: AsRef<str>>(statements: &[S], error: &Error) -> Option<(usize, usize)> {
    let error = error.as_db_error()?;
    let at = usize::try_from(error.position?).ok()?.checked_sub(1)?;
    let name = named(&error.message)?;
    let mut fitting = statements.iter().enumerate().filter(|(_, statement)| has_at(statement.as_ref(), at, name));
    let (index, _) = fitting.next()?;
    fitting.next().is_none().then_some((index, at))
}

/// What an error's message names first: `relation "t" does not exist`, `function f(integer) does not exist`, `column t.c does not exist`.
fn named(message: &str) -> Option<&str> {
    if let Some(rest) = message.strip_prefix("function ") {
        return rest.split('(').next();
    }
    if let Some(column) = message.strip_prefix("column ").and_then(|rest| rest.strip_suffix(" does not exist"))
        && !column.starts_with('"')
    {
        return Some(column);
    }
    message.split('"').nth(1)
}

/// Whether a name or a value stands at a character, in quotes or not, and is not only the beginning of another.
fn has_at(statement: &str, at: usize, name: &str) -> bool {
    let Some((start, _)) = statement.char_indices().nth(at) else { return false };
    let rest = statement.get(start..).unwrap_or_default();
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let Some((found, behind)) = rest.split_at_checked(name.len()) else { return false };
    let goes_on = found.ends_with(is_of_name) && behind.starts_with(is_of_name);
    found.eq_ignore_ascii_case(name) && !goes_on
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::culprit;
    use crate::error::{DbError, Error, SqlState};

    fn error(message: &str, position: u32) -> Error {
        let mut error = DbError::new("ERROR", Some(SqlState::from_code("42601")), message);
        error.position = Some(position);
        Error::db(error)
    }

    fn statements(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_statement_that_has_the_name_there_is_the_one() {
        let three = statements(&["select 1 as nothing", "é; selec 1", "insert into \"T\" values (f(1))"]);
        assert_eq!(culprit(&three, &error("syntax error at or near \"selec\"", 4)), Some((1, 3)));
        assert_eq!(culprit(&three, &error("relation \"T\" does not exist", 13)), Some((2, 12)));
        assert_eq!(culprit(&three, &error("function f(integer) does not exist", 25)), Some((2, 24)));
        let others = statements(&["select 'abc'::int", "select t.c from t"]);
        assert_eq!(culprit(&others, &error("invalid input syntax for type integer: \"abc\"", 8)), Some((0, 7)));
        assert_eq!(culprit(&others, &error("column t.c does not exist", 8)), Some((1, 7)));
    }

    #[test]
    fn a_name_is_not_the_beginning_of_another() {
        let alike = statements(&["select 1", "selec 1", "selec_ 1", "selecé", "+ 1", "++ 1"]);
        assert_eq!(culprit(&alike, &error("syntax error at or near \"selec\"", 1)), Some((1, 0)));
    }

    #[test]
    fn what_may_be_of_several_or_of_none_has_no_place() {
        let alike = statements(&["drop table a", "drop table b", "drop table a"]);
        assert_eq!(culprit(&alike, &error("table \"a\" does not exist", 12)), None);
        assert_eq!(culprit(&alike, &error("table \"b\" does not exist", 12)), Some((1, 11)));
        for (message, position) in [("table \"c\" does not exist", 12), ("no name", 1), ("table \"a\"", 100)] {
            assert_eq!(culprit(&alike, &error(message, position)), None);
        }
    }
}
