//! Carries Postgres over HTTP and WebSocket.
//!
//! The crate with no default features is [`codec`], [`sql`] and [`http::wire`]: no I/O and no tokio. The `client` feature, on
//! by default, adds the transports.

pub mod codec;
pub mod error;
pub mod http;
pub mod sql;

#[cfg(feature = "client")]
pub mod batch;
#[cfg(feature = "client")]
pub mod bridge;
#[cfg(feature = "client")]
pub mod config;
#[cfg(feature = "client")]
pub mod execute;
#[cfg(feature = "client")]
pub mod migrate;
#[cfg(feature = "client")]
pub mod net;
#[cfg(feature = "client")]
pub mod runtime;
#[cfg(feature = "client")]
pub mod websocket;
#[cfg(feature = "client")]
pub mod wire;

#[cfg(feature = "client")]
pub use config::{Capabilities, Config, Transport};
pub use error::{DbError, Error, Outcome, Result, SqlState};

/// The number that names a type in a database: `pg_type.oid`.
pub type Oid = u32;

/// The examples of the README and of the guides, compiled.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/deploying.md")]
    struct Deploying;
    #[doc = include_str!("../docs/from-local.md")]
    struct FromLocal;
    #[doc = include_str!("../docs/javascript-driver.md")]
    struct JavascriptDriver;
    #[doc = include_str!("../docs/transports.md")]
    struct Transports;
}
