use std::collections::BTreeSet;

use pgferry::sql::{self, Effect};

/// The most settings of the user's own making that are looked after in a session.
const MOST: usize = 64;

/// Notes what could be the names of settings of the user's own making, as `app.user_id`: Postgres lists them nowhere. What is none
/// is told by the server, so this may name too many.
pub(crate) fn note(names: &mut BTreeSet<String>, text: &str) {
    for word in text.split(|character: char| !is_of_name(character)) {
        if names.len() >= MOST {
            return;
        }
        if is_name(word) {
            names.insert(word.to_ascii_lowercase());
        }
    }
}

/// Returns whether a text can set one.
pub(crate) fn can_set(text: &str) -> bool {
    contains(text, "set")
}

/// Returns whether a text may leave something in its session, as far as it tells.
pub(crate) fn leaves_state(text: &str) -> bool {
    sql::split(text).into_iter().any(|statement| {
        matches!(
            sql::effect(statement),
            Effect::Set
                | Effect::Listen
                | Effect::Prepare
                | Effect::Cursor
                | Effect::Temporary
                | Effect::AdvisoryLock
                | Effect::SessionFunction
        )
    })
}

/// Returns whether a text may take a lock of its session's, which a rollback leaves.
pub(crate) fn locks(text: &str) -> bool {
    sql::split(text).into_iter().any(|statement| sql::effect(statement) == Effect::AdvisoryLock)
}

/// Returns whether a text may leave a transaction open behind it.
pub(crate) fn begins(text: &str) -> bool {
    sql::split(text).into_iter().any(|statement| {
        ["begin", "start", "chain"].iter().any(|word| contains(statement, word))
            && sql::effect(statement) == Effect::TransactionControl
    })
}

/// Returns whether a text has a word in it, in whatever case.
pub(crate) fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '$')
}

fn is_name(word: &str) -> bool {
    word.len() <= 63
        && word.contains('.')
        && word.split('.').all(|part| part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_what_sets_them() {
        let mut names = BTreeSet::new();
        note(&mut names, "SET app.user_id = '5'; select set_config('My.Tenant', 'x.', false), 1.5, a.1b");
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["app.user_id", "my.tenant"]);
        assert!(can_set("select SET_CONFIG($1, $2, false)") && !can_set("select 1"));
    }

    #[test]
    fn what_a_text_leaves_is_told_by_its_statements() {
        assert!(leaves_state("select 1; listen a") && leaves_state("create temp table t ()"));
        assert!(!leaves_state("update t set a = 'listen b'; begin"));
        assert!(begins("select 1; BEGIN; select 2") && begins("commit and chain"));
        assert!(!begins("select 'begin'; commit") && !begins("insert into begin_times values (1)"));
    }
}
