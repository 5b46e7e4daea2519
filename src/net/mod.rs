//! TCP and TLS, the same for HTTP and WebSocket.

mod socket;
mod tcp;
mod tls;

pub use socket::Socket;
pub use tcp::connect_tcp;
pub(crate) use tcp::{connect_tcp_by, deadline, unbracketed};
pub(crate) use tls::connect_tls;
pub use tls::tls_config;
