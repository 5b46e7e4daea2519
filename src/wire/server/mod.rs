//! What a server reads and writes: the frontend's messages parsed, the backend's messages built (manual, section 55.7).
//!
//! # Example
//!
//! ```
//! use bytes::BytesMut;
//! use pgferry::wire::{
//!     TransactionStatus,
//!     server::{self, Frontend},
//! };
//!
//! let mut received = BytesMut::from(&b"Q\0\0\0\x0dselect 1\0S\0\0"[..]);
//! let Some(Frontend::Query(text)) = server::read(&mut received, 1024)? else { panic!("it is whole") };
//! assert_eq!(text, "select 1");
//! // A Sync is under way and stays.
//! assert!(server::read(&mut received, 1024)?.is_none());
//! assert_eq!(&received[..], b"S\0\0");
//!
//! let mut out = BytesMut::new();
//! server::command_complete(&mut out, "SELECT 0");
//! server::ready_for_query(&mut out, TransactionStatus::Idle);
//! assert_eq!(&out[..], b"C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I");
//! # Ok::<_, pgferry::Error>(())
//! ```

mod backend;
mod frontend;
mod opening;

pub use backend::{
    authentication_cleartext_password, authentication_md5_password, authentication_ok, authentication_sasl,
    backend_key_data, bind_complete, close_complete, command_complete, data_row, empty_query_response, error_response,
    negotiate_protocol_version, no_data, notice_response, notification_response, parameter_description,
    parameter_status, parse_complete, portal_suspended, ready_for_query, row_description,
};
pub use frontend::{Frontend, read};
#[cfg(feature = "client")]
pub(crate) use frontend::{message_length, read_all};
pub use opening::{MAX_OPENING, Opening, StartupMessage, read_opening};
