//! Postgres's protocol, version 3: a lean client over any byte stream, and the server-side messages of bridge and gateway.
mod client;
mod data_row;
pub mod server;
mod transaction_status;

pub use client::{BackendKey, Client, Column, Event, Execution, Format, Params, Parse, Startup, Statement, cancel};
pub use data_row::DataRow;
pub use transaction_status::TransactionStatus;
