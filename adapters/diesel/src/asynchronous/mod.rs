//! The connection for `diesel-async`.

mod batch;
mod binds;
mod connection;
mod error;
mod executor;
mod notes;
mod pool;
mod results;
mod save_changes;
mod transaction_builder;
mod types;

pub use connection::AsyncFerryConnection;
pub use transaction_builder::TransactionBuilder;
