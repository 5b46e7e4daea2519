//! TCP and TLS, the same for HTTP and WebSocket.
use crate::{config::Config, error::Result};
use std::sync::Arc;

/// A rustls configuration with the provider named explicitly, roots of the platform or of the config, and these ALPN names.
pub fn tls_config(config: &Config, alpn: &[&[u8]]) -> Result<Arc<rustls::ClientConfig>> {
    todo!()
}

/// TCP to host:port (or the config's addresses), each address tried in turn within connect_timeout. nodelay set.
pub async fn connect_tcp(config: &Config, host: &str, port: u16) -> Result<tokio::net::TcpStream> {
    todo!()
}
