//! Throw-away PostgreSQL servers and gateways, for pgferry's tests and examples.
//!
//! [`Postgres::start`] runs a server of the installed binaries until it is dropped, with a superuser `postgres` and a role
//! `app` that owns a database `app`; every server has a data directory, a port and a socket of its own.

mod account;
mod base_directory;
mod installation;
mod postgres;
mod psql;
mod secret;
mod server;
mod template;
mod watchdog;

pub use postgres::{Builder, Postgres};
