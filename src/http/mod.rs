//! SQL over HTTP: a [`Client`] sends statements and batches, each as one request.
//!
//! Each request is a session of its own. What outlives a statement nowhere else (a transaction, a setting, a subscription)
//! is refused by name instead of being lost in silence; [`Client::batch`] sends what belongs together.

pub mod wire;

#[cfg(feature = "client")]
mod batch_options;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connector;
#[cfg(feature = "client")]
mod deadline;
#[cfg(feature = "client")]
mod exchange;
#[cfg(feature = "client")]
mod from_text;
#[cfg(feature = "client")]
mod headers;
#[cfg(feature = "client")]
mod param;
#[cfg(feature = "client")]
mod query;
#[cfg(feature = "client")]
mod query_result;
#[cfg(feature = "client")]
mod refusal;
#[cfg(feature = "client")]
mod request;
#[cfg(feature = "client")]
mod result_stream;
#[cfg(feature = "client")]
mod row;
#[cfg(feature = "client")]
mod send_error;
#[cfg(feature = "client")]
mod settings;
#[cfg(feature = "client")]
mod tracked_body;

#[cfg(feature = "client")]
pub use batch_options::BatchOptions;
#[cfg(feature = "client")]
pub use client::Client;
#[cfg(feature = "client")]
pub use from_text::FromText;
#[cfg(feature = "client")]
pub use param::Param;
#[cfg(feature = "client")]
pub use query::Query;
#[cfg(feature = "client")]
pub(crate) use query::{forbids_prologue, may_meet_rules};
#[cfg(feature = "client")]
pub use query_result::QueryResult;
#[cfg(feature = "client")]
pub(crate) use refusal::check_single;
#[cfg(feature = "client")]
pub use request::Request;
#[cfg(feature = "client")]
pub use result_stream::ResultStream;
#[cfg(feature = "client")]
pub use row::{ColumnIndex, Row};
#[cfg(feature = "client")]
pub use wire::{Event, Field, IsolationLevel, RawRow, Statement};
