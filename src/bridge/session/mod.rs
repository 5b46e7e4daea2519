//! A client over a WebSocket: its messages pass to the server and the answers back, and what needs no answer of the server's costs no
//! round trip.
//!
//! sqlx makes two round trips of a statement's first use: it has it described, then it executes it. Here the description is answered by
//! the bridge ([`answers`]), and the server gets Parse, Bind, Describe and Execute in one flight. sqlx takes the columns that come
//! with the rows, but remembers the placeholder; so they come with every execution.

mod answers;
mod client;
mod end;
mod exchange;
mod expected;
mod from_client;
mod from_server;
mod held;
mod message;
mod open;
mod parsed;
mod patience;
mod pump;
mod serve;

pub(super) use client::{Client, Ended, How};
pub(super) use serve::serve;
