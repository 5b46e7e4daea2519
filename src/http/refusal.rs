use crate::{
    error::{Error, Result},
    sql::{Dialect, Effect},
};

/// Refuses a statement that a request of its own would lose in silence.
pub(crate) fn check_single(dialect: Dialect, text: &str) -> Result<()> {
    match dialect.effect(text).remedy() {
        Some(remedy) => Err(Error::refused(remedy)),
        None => Ok(()),
    }
}

/// Refuses a statement that would end the batch's transaction, after which the rest would run outside it, or that a batch
/// cannot carry either.
///
/// What lasts until the session ends is allowed: it serves the batch's other statements.
pub(super) fn check_in_batch(dialect: Dialect, text: &str) -> Result<()> {
    match dialect.effect(text) {
        Effect::TransactionControl => Err(Error::refused(
            "a batch is one transaction, which begins and ends with it: leave BEGIN, COMMIT, ROLLBACK and savepoints out, or \
             use transport=websocket",
        )),
        Effect::Listen | Effect::Copy => check_single(dialect, text),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_lost_is_refused() {
        for text in
            ["BEGIN", "/* x */ set timezone = 'UTC'", "LISTEN a", "COPY t FROM STDIN", "CREATE TEMP TABLE t (a int)"]
        {
            let error = check_single(Dialect::new(), text).expect_err(text);
            assert!(error.is_refused() && error.message().contains("websocket"), "{text}: {error}");
        }
        for text in ["SELECT 1", "", "INSERT INTO t VALUES (nextval('s'))", "VACUUM", "SELECT 'BEGIN'"] {
            check_single(Dialect::new(), text).expect(text);
        }
    }

    #[test]
    fn a_batch_is_one_transaction() {
        for text in ["COMMIT", "rollback", "BEGIN", "START TRANSACTION", "END", "LISTEN a", "COPY t TO STDOUT"] {
            assert!(check_in_batch(Dialect::new(), text).expect_err(text).is_refused(), "{text}");
        }
        for text in ["SET LOCAL timezone = 'UTC'", "CREATE TEMP TABLE t (a int)", "LOCK t", "DELETE FROM t"] {
            check_in_batch(Dialect::new(), text).expect(text);
        }
    }
}
