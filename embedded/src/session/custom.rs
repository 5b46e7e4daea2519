use std::collections::BTreeSet;

use pgferry::sql::{self, Effect};

/// The most settings of the user's own making that are looked after in a session.
const MOST: usize = 64;
/// The most names that may be those of settings between two questions to the server.
const MOST_NOTED: usize = 4096;

/// What could be the names of settings of the user's own making, as `app.user_id`: Postgres lists them nowhere. What is none is told
/// by the server, so this may hold too many.
#[derive(Clone, Default)]
pub(crate) struct Names {
    noted: BTreeSet<String>,
    /// Whether some are missing here.
    has_dropped: bool,
}

impl Names {
    /// Notes what a text could set.
    pub(crate) fn note(&mut self, text: &str) {
        for word in text.split(|character: char| !is_of_name(character)).filter(|word| is_name(word)) {
            if self.noted.len() >= MOST_NOTED {
                self.has_dropped = true;
                return;
            }
            self.noted.insert(word.to_ascii_lowercase());
        }
    }

    /// Returns whether it is time to ask which of them are settings.
    pub(crate) fn are_many(&self) -> bool {
        self.noted.len() > MOST
    }

    /// Returns whether more are settings than are looked after, where so many of them are.
    pub(crate) fn are_too_many(&self, found: usize) -> bool {
        self.has_dropped || found > MOST
    }

    /// Forgets those that are no settings.
    pub(crate) fn retain(&mut self, found: &BTreeSet<String>) {
        self.noted.retain(|name| found.contains(name));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.noted.iter().map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.noted.is_empty()
    }
}

/// Returns whether a text can set one.
pub(crate) fn can_set(text: &str) -> bool {
    text.split(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '$')))
        .any(|word| word.eq_ignore_ascii_case("set") || word.eq_ignore_ascii_case("set_config"))
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
        let mut names = Names::default();
        names.note("SET app.user_id = '5'; select set_config('My.Tenant', 'x.', false), 1.5, a.1b");
        assert_eq!(names.iter().collect::<Vec<_>>(), ["app.user_id", "my.tenant"]);
        assert!(can_set("select pg_catalog.SET_CONFIG($1, $2, false)") && can_set("select 1;set\ta.b=1"));
        assert!(!can_set("select a.b from a offset 1") && !can_set("table settings"));
    }

    #[test]
    fn names_are_too_many_where_one_is_missing_or_more_are_settings() {
        let mut names = Names::default();
        names.note(&(0..=MOST).map(|number| format!("a.b{number} ")).collect::<String>());
        assert!(names.are_many() && names.are_too_many(MOST + 1) && !names.are_too_many(MOST));
        names.retain(&BTreeSet::from(["a.b1".to_owned()]));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["a.b1"]);
        names.note(&(0..=MOST_NOTED).map(|number| format!("a.b{number} ")).collect::<String>());
        assert!(names.are_too_many(0));
    }

    #[test]
    fn what_a_text_leaves_is_told_by_its_statements() {
        assert!(leaves_state("select 1; listen a") && leaves_state("create temp table t ()"));
        assert!(!leaves_state("update t set a = 'listen b'; begin"));
        assert!(begins("select 1; BEGIN; select 2") && begins("commit and chain"));
        assert!(!begins("select 'begin'; commit") && !begins("insert into begin_times values (1)"));
    }
}
