use diesel_async::{AnsiTransactionManager, TransactionManager, pooled_connection::PoolableConnection};

use super::AsyncFerryConnection;

impl PoolableConnection for AsyncFerryConnection {
    /// Asks no server: the session's task has seen its end by itself.
    fn is_broken(&mut self) -> bool {
        !self.session.is_usable() || AnsiTransactionManager::is_broken_transaction_manager(self)
    }
}
