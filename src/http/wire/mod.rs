//! The JSON bodies and header names of SQL over HTTP (PROTOCOL.md, section 2); no I/O.
//!
//! A client writes a [`RequestBody`] and reads its answer with a [`ResponseDecoder`]; a gateway shares the header names,
//! [`Field`], [`ErrorBody`] and [`IsolationLevel`] with it.

mod decoder;
mod error_body;
mod event;
mod failure;
mod field;
mod find;
mod headers;
mod isolation_level;
mod raw_row;
mod raw_text;
mod request;
mod scan;
mod unescape;

pub use decoder::ResponseDecoder;
pub use error_body::ErrorBody;
pub use event::Event;
pub use failure::error_from_response;
#[cfg(feature = "client")]
pub(crate) use failure::{error_from, service_error};
pub use field::Field;
pub use headers::{
    ARRAY_MODE, BATCH_DEFERRABLE, BATCH_ISOLATION_LEVEL, BATCH_READ_ONLY, CONNECTION_STRING, PATH, POOL_OPT_IN,
    RAW_TEXT_OUTPUT, REQUEST_ID,
};
pub use isolation_level::IsolationLevel;
pub use raw_row::RawRow;
pub use raw_text::RawText;
pub use request::{RequestBody, Statement};
