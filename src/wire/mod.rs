//! Postgres's protocol, version 3 (manual, chapter 55): a lean client over any byte stream, the messages that a server reads
//! and writes.

mod backend_key;
mod client;
mod column;
mod data_row;
mod data_row_builder;
mod format;
mod reader;
pub mod server;
mod transaction_status;

pub use backend_key::BackendKey;
pub(crate) use client::read_error;
pub use client::{Answer, Client, Event, Execution, Notification, Params, Parse, Startup, Statement, cancel};
pub use column::Column;
pub use data_row::{DataRow, Values};
pub use data_row_builder::DataRowBuilder;
pub use format::Format;
pub use transaction_status::TransactionStatus;

/// The largest message that Postgres itself takes or sends, in bytes.
pub const MAX_MESSAGE: usize = 1 << 30;
