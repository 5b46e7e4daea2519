use crate::sql::{Dialect, discards_all};

/// Whether anything clings to a session that a new one would not have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traces(bool);

impl Traces {
    /// Notes what a text may leave behind, as far as it tells.
    pub(super) fn note(&mut self, dialect: Dialect, text: &str) {
        self.0 = !discards_all(text) && (self.0 || dialect.leaves_session_state(text));
    }

    /// Notes that something may have been left behind.
    pub(super) fn note_state(&mut self, is_left: bool) {
        self.0 |= is_left;
    }

    pub(super) fn are_there(self) -> bool {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outlives_its_transaction_is_a_trace_until_all_is_discarded() {
        let traces = |texts: &[&str]| {
            let mut traces = Traces::default();
            texts.iter().for_each(|text| traces.note(Dialect::new(), text));
            traces.are_there()
        };
        assert!(!traces(&["begin", "insert into t values (1)", "savepoint a", "set local x.y = 1", "commit"]));
        for text in
            ["set x.y = 1", "create temp table t ()", "listen a", "select nextval('s')", "prepare p as select 1"]
        {
            assert!(traces(&[text, "select 1"]), "{text}");
            assert!(!traces(&[text, "Discard All ;"]), "{text}");
        }
    }
}
