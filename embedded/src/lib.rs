//! A PostgreSQL compiled into the program, for machines that have none: PostgreSQL 17 in WebAssembly.
//!
//! - [`Embedded`]: a server on a loopback port, with a role and a database ready to be used.
//! - [`Options`]: where its data are, its password, and how long a session waits for its turn.
//! - [`engine`]: what a program that uses it calls first of all.
//!
//! The engine inside has a single backend. [`Embedded`] makes a server for several sessions of it: they take turns, a transaction
//! each, and none sees another's settings, prepared statements or temporary tables. It runs in a process of its own, so that a
//! statement can be ended with it.

mod backend;
mod database;
mod embedded;
mod engine;
mod frame;
mod listener;
mod message;
mod options;
mod place;
mod session;
mod shared;
mod turn;

pub use embedded::Embedded;
pub use engine::engine;
pub use options::Options;
