//! SQL over HTTP and Postgres over WebSocket in front of any Postgres.
//!
//! A [`Gateway`] speaks what the serverless providers speak, so that a client made for them reaches a Postgres on the same
//! machine, in CI or in a private network. Callers log in with their own credentials; the gateway has none.

mod address;
mod config;
mod gateway;
mod pool;
mod safety;
mod service;
mod session;
mod sql;
mod upstream;
mod ws_auth;

pub use config::GatewayConfig;
pub use gateway::Gateway;
pub use upstream::Upstream;
pub use ws_auth::WsAuth;
