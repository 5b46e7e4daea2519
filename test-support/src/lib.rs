//! Throw-away PostgreSQL servers and gateways, for pgferry's tests and examples.
//!
//! - [`Postgres`]: a server of the installed binaries, with a superuser `postgres` and a role `app` that owns a database
//!   `app`, and with a data directory, a port and a socket of its own.
//! - [`TestGateway`]: a gateway before a Postgres, plain or with a certificate of a [`TestCa`].
//! - [`Stage`]: both, with a database for one test alone.
//! - [`GatewayProcess`]: a gateway that can be killed or stopped.
//! - [`Proxy`]: a delay on the way, which counts round trips.
//!
//! All of them end when they are dropped, and those that are processes also when the test is killed.

mod base_directory;
mod gateway;
mod gateway_process;
mod postgres;
mod programs;
mod proxy;
mod psql;
mod settings;
mod stage;
mod template;
mod test_ca;
mod worker;

pub use gateway::TestGateway;
pub use gateway_process::GatewayProcess;
pub use postgres::{Builder, Postgres};
pub use proxy::Proxy;
pub use stage::Stage;
pub use test_ca::TestCa;
