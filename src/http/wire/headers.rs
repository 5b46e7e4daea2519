/// The path that requests are posted to, where the endpoint's URL names no other.
pub const PATH: &str = "/sql";

/// Names the endpoint, the role, the database and, without a token, the password, as a `postgresql:` URL.
pub const CONNECTION_STRING: &str = "neon-connection-string";

/// `true` asks for each value as a string that holds Postgres's own text.
pub const RAW_TEXT_OUTPUT: &str = "neon-raw-text-output";

/// `true` asks for each row as an array of values, so that two columns of one name both survive.
pub const ARRAY_MODE: &str = "neon-array-mode";

/// `true` once asked for pooled connections; servers pool whatever it says.
pub const POOL_OPT_IN: &str = "neon-pool-opt-in";

/// A batch's isolation level, in [`IsolationLevel`](super::IsolationLevel)'s spelling.
pub const BATCH_ISOLATION_LEVEL: &str = "neon-batch-isolation-level";

/// `true` makes a batch's transaction read only.
pub const BATCH_READ_ONLY: &str = "neon-batch-read-only";

/// `true` makes a batch's transaction deferrable.
pub const BATCH_DEFERRABLE: &str = "neon-batch-deferrable";

/// A response's own name for the request, in the provider's logs.
pub const REQUEST_ID: &str = "neon-request-id";
