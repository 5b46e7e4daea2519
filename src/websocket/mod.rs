//! Postgres's byte stream in a WebSocket (RFC 6455; PROTOCOL.md, section 3).
//!
//! Binary frames only, no subprotocol, no extensions. Where a frame ends means nothing: a Postgres message may be split
//! anywhere, and several may share a frame.
//!
//! The library underneath logs whole frames at level `trace`, log-ins included, to the target `tungstenite`: a program that
//! collects such records should keep that target at `debug`.

mod byte_stream;
mod close;
mod connect;
mod end;
mod upgrade;

#[cfg(test)]
mod tests;

pub use byte_stream::ByteStream;
pub use close::Close;
pub use connect::{ALPN, Stream, connect, connect_on};
