//! Our connection for threads.

use super::blocking as world;

type Conn = pgferry_diesel::FerryConnection;

#[path = "cases/connections.rs"]
pub(super) mod connections;
#[path = "cases/errors.rs"]
pub(super) mod errors;
#[path = "cases/queries.rs"]
pub(super) mod queries;
#[path = "cases/transactions.rs"]
pub(super) mod transactions;
#[path = "cases/types.rs"]
pub(super) mod types;
#[path = "cases/values.rs"]
pub(super) mod values;
#[path = "cases/writes.rs"]
pub(super) mod writes;
