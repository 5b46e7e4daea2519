//! Trouble on purpose, for testing what is in front of the gateway.

mod cold_start;
mod condition;
mod connection;
mod drain;
mod http;
mod injector;
mod kind;
mod messages;
mod pace;
mod raise;
mod refusal;
mod rule;
mod session;
mod spec;
mod sqlstate;
mod traffic;
mod units;

pub(crate) use http::Started;
pub(crate) use injector::{Cut, Injector};
pub(crate) use pace::Paced;
pub(crate) use session::{Ended, Relay};
pub use spec::Faults;
