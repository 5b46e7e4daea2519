//! SQL over HTTP and Postgres over WebSocket in front of any Postgres.
//!
//! A [`Gateway`] speaks what the serverless providers speak, so that a client made for them reaches a Postgres on the same
//! machine, in CI or in a private network. Callers log in with their own credentials; the gateway has none.
//!
//! # Where it differs from the providers
//!
//! * In the parsed output mode an empty array is `[]`, `box[]` is split at its semicolons, and a vector such as
//!   `pg_index.indkey` is a string; the reference answers `[false]`, `[""]`, pieces of boxes, or status 500.
//! * Control characters of strings in a JSON array arrive in Postgres as they are, instead of as letters.
//! * COPY over HTTP is refused with a sentence that names the remedy, and its session stays usable.
//! * A role without a password gets the answer to a wrong password, and no address is barred: there is no control plane.
//! * Startup parameters of a WebSocket are all passed on, errors before a session keep their SQLSTATE, pings are answered
//!   and every WebSocket is closed with a Close frame.
//! * The position in the error for a body that is not UTF-8 is that of the byte, not of the string's end.

mod address;
mod config;
mod first_bytes;
mod gateway;
mod pool;
mod safety;
mod service;
mod session;
mod spawn;
mod sql;
mod upstream;
mod ws_auth;

pub use config::GatewayConfig;
pub use gateway::Gateway;
pub use upstream::Upstream;
pub use ws_auth::WsAuth;
