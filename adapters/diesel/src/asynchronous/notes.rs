use std::sync::{Mutex, PoisonError};

use diesel::connection::TransactionManagerStatus;
use pgferry::{execute::Answers, wire::TransactionStatus};

use crate::transaction;

/// What the server said of the transaction with each answer, kept until the transaction manager is next asked: answers come while the
/// connection is shared.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Vec<Note>>);

/// One answer's word on the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// `None` where the session was lost.
    reported: Option<TransactionStatus>,
    failed: bool,
    /// The manager itself counts a COMMIT that failed, and takes it ill when it finds that counted.
    is_commit: bool,
}

impl Note {
    /// What a statement's end says.
    pub(super) fn of(answers: &Answers, failed: bool) -> Self {
        Self { reported: answers.transaction_status(), failed, is_commit: false }
    }

    pub(super) fn of_script(self, script: &str) -> Self {
        Self { is_commit: script.eq_ignore_ascii_case("commit"), ..self }
    }

    pub(super) fn apply(self, status: &mut TransactionManagerStatus) {
        if self.is_commit && self.failed && self.reported.is_some() {
            return;
        }
        transaction::note(status, self.reported, self.failed);
    }
}

impl Notes {
    pub(super) fn add(&self, note: Note) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A thousand queries without a transaction say one thing.
        if notes.last() != Some(&note) {
            notes.push(note);
        }
    }

    pub(super) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
