//! Certificates for a gateway that serves `https` and `wss`.

mod certificate_files;
mod pem;
mod self_signed;

use std::sync::Arc;

use pgferry::{Error, Result};
use rustls::{ServerConfig, crypto::CryptoProvider, server::ResolvesServerCert, sign::SingleCertAndKey};

pub use certificate_files::CertificateFiles;
pub use self_signed::SelfSigned;

/// Makes the configuration of a server from its certificate and its key, both as PEM, for
/// [`GatewayConfig::tls`](crate::GatewayConfig::tls).
///
/// Behind the server's own certificate come those of the authorities between it and one that clients trust. The key is one of PKCS#8,
/// PKCS#1 or SEC1, and not encrypted.
///
/// # Errors
///
/// When there is no certificate or no key, one of them cannot be read, or the key is not the certificate's.
///
/// # Example
///
/// ```
/// use pgferry_gateway::tls;
///
/// let error = tls::server_config(b"", b"").unwrap_err();
/// assert!(error.to_string().contains("no certificate"));
/// ```
pub fn server_config(cert_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ServerConfig>> {
    let key = pem::certified_key(cert_pem, key_pem)?;
    resolved_by(Arc::new(SingleCertAndKey::from(key)))
}

fn resolved_by(resolver: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::refused(format!("TLS cannot be served: {error}")))?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    Ok(Arc::new(config))
}

/// Named, since a process may have two, and then no default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
