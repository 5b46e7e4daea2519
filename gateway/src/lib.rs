//! SQL over HTTP and Postgres over WebSocket in front of any Postgres.
//!
//! A [`Gateway`] speaks what the serverless providers speak, so that a client made for them reaches a Postgres on the same
//! machine, in CI or in a private network. Callers log in with their own credentials; the gateway has none.
//!
//! # Where it differs from the providers
//!
//! * The parsed output mode takes arrays apart by Postgres's own rules, where the reference's answer is of no use to anybody
//!   and no client can rely on it:
//!   * an empty `bool[]` is `[]` and not `[false]`: the reference answers as if there were one element of no text;
//!   * an empty `text[]` is `[]` and not `[""]`, since an array of one empty string is another value;
//!   * an empty `int4[]` is `[]` and no status 500: no text is no number to the reference;
//!   * `box[]` is split at its semicolons, which are its delimiter in `pg_type`: the reference splits it at every comma, into pieces
//!     of boxes;
//!   * an `int2vector` or `oidvector` such as `pg_index.indkey` is a string: `pg_type` lists it among the arrays, but its text has no
//!     braces, and the reference answers with status 500.
//! * Control characters of strings in a JSON array arrive in Postgres as they are, instead of as letters.
//! * COPY over HTTP is refused with a sentence that names the remedy, and its session stays usable.
//! * A role without a password gets the answer to a wrong password, and no address is barred: there is no control plane.
//! * Startup parameters of a WebSocket are all passed on, errors before a session keep their SQLSTATE, pings are answered
//!   and every WebSocket is closed with a Close frame.
//! * The position in the error for a body that is not UTF-8 is that of the byte, not of the string's end.

mod address;
mod client_socket;
mod client_stream;
mod config;
mod delivery;
mod executor;
mod faults;
mod first_bytes;
mod gateway;
mod health;
mod memory;
mod metrics;
mod pool;
mod record;
mod reset;
mod safety;
mod service;
mod session;
mod slots;
mod spawn;
mod sql;
pub mod tls;
mod upstream;
mod ws_auth;

pub use config::GatewayConfig;
pub use faults::Faults;
pub use gateway::Gateway;
pub use upstream::Upstream;
pub use ws_auth::WsAuth;
