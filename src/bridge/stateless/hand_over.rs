use std::{mem, sync::Arc};

use crate::error::{Error, Outcome};

/// What becomes of a group of messages that turns out not to be for HTTP.
#[derive(Debug, Default)]
pub(super) struct HandOver {
    /// A session can take it.
    is_possible: bool,
    /// The client has heard some of the answer, so that it can hear no other.
    has_begun: bool,
    served: Served,
}

/// How a group of messages was served.
#[derive(Debug, Default)]
pub(in crate::bridge) struct Served {
    /// Why a session must take it, if that is so.
    pub(in crate::bridge) unserved: Option<Error>,
    /// What has run, and would fail over HTTP each time, since its results cannot be carried.
    pub(in crate::bridge) failures: Vec<Arc<str>>,
}

impl HandOver {
    /// Begins a group that a session can take.
    pub(super) fn begin(&mut self) {
        *self = Self { is_possible: true, ..Self::default() };
    }

    pub(super) fn end(&mut self) -> Served {
        mem::take(self).served
    }

    /// Notes that the client hears the answer that there is.
    pub(super) fn answer_begins(&mut self) {
        self.has_begun = true;
    }

    /// Whether an error is HTTP's own, and the statement could be tried in a session.
    pub(super) fn is_due(&self, error: &Error) -> bool {
        let is_of_http = error.is_refused() || error.is_value() || error.is_limit() || error.is_of_results();
        self.is_possible && !self.has_begun && is_of_http && error.outcome() != Outcome::Failed
    }

    pub(super) fn set_cause(&mut self, cause: Error) {
        self.served.unserved = Some(cause);
    }

    pub(super) fn is_decided(&self) -> bool {
        self.served.unserved.is_some()
    }

    pub(super) fn note_failures(&mut self, texts: &[Arc<str>]) {
        self.served.failures = texts.to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DbError;

    #[test]
    fn only_what_http_fails_at_is_handed_over() {
        let refused = Error::refused("no");
        assert!(!HandOver::default().is_due(&refused), "nobody takes it");
        let mut hand_over = HandOver::default();
        hand_over.begin();
        for error in [
            refused,
            Error::value("parameter $1", Outcome::NotExecuted),
            Error::limit("too large", Outcome::Unknown),
            Error::refused_results("a record", false),
            Error::refused_results("a record", true),
        ] {
            assert!(hand_over.is_due(&error), "{error}");
        }
        for error in [Error::db(DbError::new("ERROR", None, "no")), Error::closed("lost", Outcome::Unknown)] {
            assert!(!hand_over.is_due(&error), "{error}");
        }
        hand_over.answer_begins();
        assert!(!hand_over.is_due(&Error::refused("no")), "it was answered");
    }
}
