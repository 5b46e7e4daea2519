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
        // What was noted before says nothing more once the same comes again, so that a thousand queries say a few things.
        notes.retain(|before| *before != note);
        notes.push(note);
    }

    pub(super) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::{TransactionDepthChange, ValidTransactionManagerStatus};

    use super::*;

    const REPORTS: [Option<TransactionStatus>; 4] =
        [None, Some(TransactionStatus::Idle), Some(TransactionStatus::Transaction), Some(TransactionStatus::Failed)];

    fn all() -> impl Iterator<Item = Note> + Clone {
        let notes = |failed| REPORTS.map(|reported| Note { reported, failed, is_commit: false });
        [true, false].into_iter().flat_map(notes)
    }

    /// What the manager knows after these, where a transaction was open before or not.
    fn after(notes: impl IntoIterator<Item = Note> + Clone) -> String {
        let mut open = ValidTransactionManagerStatus::default();
        open.change_transaction_depth(TransactionDepthChange::IncreaseDepth).unwrap();
        let mut known = [TransactionManagerStatus::default(), TransactionManagerStatus::Valid(open)];
        for status in &mut known {
            notes.clone().into_iter().for_each(|note| note.apply(status));
        }
        format!("{known:?}")
    }

    #[test]
    fn what_comes_again_is_noted_once_and_means_the_same() {
        for first in all() {
            for (second, third) in all().flat_map(|second| all().map(move |third| (second, third))) {
                for fourth in all() {
                    let given = [first, second, third, fourth];
                    let notes = Notes::default();
                    given.into_iter().for_each(|note| notes.add(note));
                    assert_eq!(after(notes.take()), after(given), "{given:?}");
                }
            }
        }
    }

    #[test]
    fn notes_by_turns_do_not_pile_up() {
        let notes = Notes::default();
        for _ in 0..1000 {
            all().for_each(|note| notes.add(note));
        }
        assert!(notes.take().into_iter().eq(all()));
    }
}
