//! The JSON bodies and header names of SQL over HTTP (PROTOCOL.md, section 2); no I/O.
//!
//! stub: header-name constants, `Field`, `ErrorBody` (17 keys, to and from DbError), request bodies (Serialize; liberal Deserialize for the gateway),
//! `ResponseDecoder` (push parser).

/// `POST` bodies go to this path.
pub const PATH: &str = "/sql";
/// `neon-connection-string`.
pub const CONNECTION_STRING: &str = "neon-connection-string";
/// `neon-raw-text-output`.
pub const RAW_TEXT_OUTPUT: &str = "neon-raw-text-output";
/// `neon-array-mode`.
pub const ARRAY_MODE: &str = "neon-array-mode";
/// `neon-pool-opt-in`.
pub const POOL_OPT_IN: &str = "neon-pool-opt-in";
/// `neon-batch-isolation-level`.
pub const BATCH_ISOLATION_LEVEL: &str = "neon-batch-isolation-level";
/// `neon-batch-read-only`.
pub const BATCH_READ_ONLY: &str = "neon-batch-read-only";
/// `neon-batch-deferrable`.
pub const BATCH_DEFERRABLE: &str = "neon-batch-deferrable";
/// `neon-request-id`.
pub const REQUEST_ID: &str = "neon-request-id";
