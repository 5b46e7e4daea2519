use diesel::connection::{AnsiTransactionManager, TransactionManager, TransactionManagerStatus};
use pgferry::wire::TransactionStatus;

use crate::FerryConnection;

impl FerryConnection {
    /// Brings diesel's notion of the transaction in line with the server's, after a query that `failed` or not.
    pub(crate) fn note_transaction_status(&mut self, failed: bool) {
        let reported = self.session.is_usable().then(|| self.session.transaction_status());
        note(AnsiTransactionManager::transaction_manager_status_mut(self), reported, failed);
    }
}

/// Brings diesel's notion of the transaction in line with what the server `reported` after a query that `failed` or not; `None` stands
/// for a session that was lost.
///
/// The manager counts what it sent itself; only the server knows of transactions begun, ended or aborted otherwise.
pub(crate) fn note(status: &mut TransactionManagerStatus, reported: Option<TransactionStatus>, failed: bool) {
    match reported {
        // With the session, whatever transaction was open is lost.
        None => status.set_in_error(),
        // A failed COMMIT ends a transaction too, which the manager cannot tell from the error.
        Some(TransactionStatus::Idle) => *status = TransactionManagerStatus::default(),
        Some(TransactionStatus::Failed) => status.set_requires_rollback_maybe_up_to_top_level(true),
        Some(TransactionStatus::Transaction) if !failed => {
            // A rollback to a savepoint ended the failed state.
            status.set_requires_rollback_maybe_up_to_top_level(false);
        }
        Some(TransactionStatus::Transaction) => {
            // An error opens no transaction. If the manager knows of none, the two have parted.
            if !matches!(status.transaction_depth(), Ok(Some(_))) {
                status.set_in_error();
            }
        }
    }
}
