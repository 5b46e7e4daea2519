use diesel::{
    QueryResult, RunQueryDsl,
    connection::{AnsiTransactionManager, TransactionManager},
    r2d2::R2D2Connection,
};

use crate::FerryConnection;

impl R2D2Connection for FerryConnection {
    /// Asks the server: one round trip, or over HTTP one request. `test_on_check_out(false)` of r2d2's builder saves it.
    fn ping(&mut self) -> QueryResult<()> {
        diesel::sql_query("SELECT 1").execute(self).map(drop)
    }

    fn is_broken(&mut self) -> bool {
        !self.session.is_usable() || AnsiTransactionManager::is_broken_transaction_manager(self)
    }
}
