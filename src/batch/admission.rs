use super::Failure;
use crate::{
    error::Error,
    execute::Statement,
    sql::{Dialect, Effect},
};

/// Refuses what no batch can carry, over either transport alike, and says which statement it is.
pub(super) fn check(dialect: Dialect, statements: &[Statement]) -> Result<(), Failure> {
    let mut dialect = dialect;
    for (index, statement) in statements.iter().enumerate() {
        let effect = dialect.effect(&statement.text);
        let refusal = match effect {
            Effect::TransactionControl => Some(
                "a batch is one transaction, which begins and ends with it: leave BEGIN, COMMIT, ROLLBACK and savepoints out, or begin a \
                 transaction over transport=websocket",
            ),
            Effect::Listen | Effect::Copy => effect.remedy(),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return Err(Failure::of(index, Error::refused(refusal)));
        }
        dialect = dialect.after(&statement.text);
    }
    Ok(())
}

/// Whether a statement asks for more of a session than one request has.
pub(super) fn needs_session(statements: &[Statement]) -> bool {
    let is_only = statements.len() == 1;
    statements.iter().any(|statement| {
        let effect = Dialect::new().effect(&statement.text);
        effect.needs_session() && (is_only || !effect.ends_with_transaction())
    })
}

/// Whether a session is after the statements as it was before, as far as their texts tell.
pub(super) fn leaves_session_clean(statements: &[Statement]) -> bool {
    let is_clean = |effect: Effect| match effect {
        Effect::RunsCode => false,
        _ => !effect.needs_session() || effect.ends_with_transaction(),
    };
    statements.iter().all(|statement| is_clean(Dialect::new().effect(&statement.text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(texts: &[&str]) -> Vec<Statement> {
        texts.iter().map(|text| Statement::new(*text)).collect()
    }

    #[test]
    fn transaction_control_is_refused_by_its_place() {
        for text in ["begin", "COMMIT", "rollback to a", "savepoint a", "copy t from stdin", "listen a"] {
            let failure = check(Dialect::new(), &batch(&["select 1", text])).unwrap_err();
            assert_eq!(failure.statement(), Some(1), "{text}");
            assert!(failure.error().is_refused(), "{text}");
        }
        check(Dialect::new(), &batch(&["select 'begin'", "set local timezone = 'UTC'", "lock t"])).unwrap();
    }

    #[test]
    fn a_session_is_asked_for_where_one_request_is_not_enough() {
        assert!(!needs_session(&batch(&["select 1", "insert into t values (1)"])));
        assert!(!needs_session(&batch(&["set local timezone = 'UTC'", "select now()"])));
        assert!(needs_session(&batch(&["create temp table t (a int)", "insert into t values (1)"])));
        assert!(needs_session(&batch(&["set search_path = a"])));
    }

    #[test]
    fn what_a_session_keeps_is_seen() {
        assert!(leaves_session_clean(&batch(&["select nextval('s')", "set local timezone = 'UTC'"])));
        assert!(!leaves_session_clean(&batch(&["select 1", "set timezone = 'UTC'"])));
        assert!(!leaves_session_clean(&batch(&["create temp table t (a int)"])));
        assert!(!leaves_session_clean(&batch(&["do $$ begin perform set_config('a.b', 'c', false); end $$"])));
    }
}
