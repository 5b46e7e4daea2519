//! A client over a WebSocket.

#[allow(dead_code, reason = "what a session keeps of its client is read when it looks into messages")]
mod client;
mod relay;

pub(super) use client::{Client, Ended, How};
pub(super) use relay::serve;
