//! TCP and TLS, the same for HTTP and WebSocket.

mod connect;
mod deadline;
mod handshake;
mod socket;
mod tcp;
mod tls;
mod trace;

#[cfg(test)]
mod tests;

pub use connect::connect;
pub(crate) use connect::connect_by;
pub(crate) use deadline::Deadline;
pub use handshake::Handshake;
pub use socket::Socket;
pub use tcp::connect_tcp;
use tls::connect_tls;
pub use tls::tls_config;
pub use trace::{Step, Trace};
