//! TCP and TLS, the same for HTTP and WebSocket.

mod deadline;
mod socket;
mod tcp;
mod tls;

#[cfg(test)]
mod tests;

pub(crate) use deadline::Deadline;
pub use socket::Socket;
pub use tcp::connect_tcp;
pub(crate) use tcp::connect_tcp_by;
pub(crate) use tls::connect_tls;
pub use tls::tls_config;
