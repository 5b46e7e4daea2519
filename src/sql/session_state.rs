//! What a statement leaves in its session when its transaction has ended.

use super::{Dialect, Effect, classify, split::Statements};

/// Tells whether a statement may leave something in its session that outlives its transaction, erring on the side of yes: a setting, a
/// LISTEN, a prepared statement, a cursor WITH HOLD, a temporary object, a session's lock, a sequence's last value, whatever a
/// DO block or a procedure leaves.
///
/// Of several statements in one text, any counts. What functions and triggers do inside cannot be seen.
///
/// # Example
///
/// ```
/// use pgferry::sql::leaves_session_state;
///
/// assert!(leaves_session_state("begin; set search_path = app; commit"));
/// assert!(leaves_session_state("declare c cursor with hold for select 1"));
/// assert!(!leaves_session_state("begin; set local search_path = app; declare c cursor for select 1"));
/// ```
#[must_use]
pub fn leaves_session_state(text: &str) -> bool {
    of_text(Dialect::new(), text)
}

pub(super) fn of_text(dialect: Dialect, text: &str) -> bool {
    Statements::new(dialect, text).any(|(range, dialect)| text.get(range).is_some_and(|one| of_statement(dialect, one)))
}

fn of_statement(dialect: Dialect, text: &str) -> bool {
    match classify::statement(dialect.tokens(text)) {
        Effect::None
        | Effect::Empty
        | Effect::TransactionControl
        | Effect::SetLocal
        | Effect::Copy
        | Effect::Lock
        | Effect::TellsOfSession => false,
        Effect::Cursor => {
            let mut tokens = dialect.tokens(text);
            tokens.any(|token| token.is("declare")) && tokens.any(|token| token.is("hold"))
        }
        Effect::Set => !discards_all(text),
        Effect::Listen
        | Effect::Prepare
        | Effect::Temporary
        | Effect::AdvisoryLock
        | Effect::SessionFunction
        | Effect::LeavesState
        | Effect::RunsCode => true,
    }
}

/// Tells whether a text is DISCARD ALL and nothing else: behind it a session is as it was when it began.
#[must_use]
pub fn discards_all(text: &str) -> bool {
    let mut tokens = Dialect::new().tokens(text).filter(|token| !token.is_symbol(";"));
    tokens.next().is_some_and(|token| token.is("discard"))
        && tokens.next().is_some_and(|token| token.is("all"))
        && tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{discards_all, leaves_session_state};

    #[test]
    fn what_outlives_a_transaction_is_told_by_the_text() {
        for text in [
            "set a = 1",
            "begin; set a = 1",
            "commit; listen a",
            "prepare p as select 1",
            "Declare c cursor With Hold for select 1",
            "create temp table t (a int)",
            "select pg_advisory_lock(1)",
            "select set_config('a', 'b', false)",
            "select nextval('s')",
            "do 'begin end'",
            "call p()",
            "discard temp",
            "discard all; set a = 1",
        ] {
            assert!(leaves_session_state(text), "{text}");
        }
        for text in [
            "",
            "begin",
            "begin; insert into t values (1); commit",
            "set local a = 1",
            "lock t",
            "copy t from stdin",
            "declare c cursor for select 'with hold'",
            "fetch c",
            "close all",
            "select pg_advisory_xact_lock(1)",
            "select pg_backend_pid()",
            "discard all",
        ] {
            assert!(!leaves_session_state(text), "{text}");
        }
    }

    #[test]
    fn discard_all_is_known() {
        assert!(discards_all("/* now */ Discard ALL;"));
        for text in ["", "discard", "discard plans", "discard all; select 1"] {
            assert!(!discards_all(text), "{text}");
        }
    }
}
