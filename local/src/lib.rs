//! PostgreSQL servers from the binaries that are installed on this machine: throw-away ones, and ones whose data are kept.
//!
//! - [`Installation`]: the programs of a server, and where they are found.
//! - [`Server`]: a server for local development, with a role and a database ready to be used.
//! - [`Cluster`], [`Postmaster`], [`Account`] and [`Watchdog`]: what a server is put together from, for those that need it otherwise.
//!
//! Nothing stays behind: a server ends with its handle, and also when the process that holds it is killed.

mod account;
mod cluster;
mod installation;
mod kept;
mod lock;
mod options;
mod password;
mod place;
mod postmaster;
mod prepare;
mod reach;
mod run;
mod secret;
mod server;
mod watchdog;

pub use account::Account;
pub use cluster::Cluster;
pub use installation::Installation;
pub use options::Options;
pub use postmaster::{Launch, Postmaster, Shutdown};
pub use reach::{is_open_to_all, temporary_directory};
pub use secret::random_password;
pub use server::Server;
pub use watchdog::{Ending, Watchdog};
