use std::{fmt, sync::Arc};

use pgferry::{Error, Result};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;

use super::server_config;

/// A certificate for `localhost`, 127.0.0.1 and `::1` that nobody but itself vouches for: clients have to be given it.
///
/// # Example
///
/// ```
/// use pgferry_gateway::{GatewayConfig, tls::SelfSigned};
///
/// let certificate = SelfSigned::for_localhost()?;
/// assert!(certificate.pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// let config = GatewayConfig::new("postgresql://localhost".parse()?).tls(certificate.server_config());
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone)]
pub struct SelfSigned {
    pem: String,
    config: Arc<ServerConfig>,
}

impl SelfSigned {
    /// Makes one with a key of its own, which never leaves the process.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn for_localhost() -> Result<Self> {
        let failed = |error: rcgen::Error| Error::refused(format!("no certificate could be made: {error}"));
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "pgferry on localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(failed)?;
        let pem = params.self_signed(&key).map_err(failed)?.pem();
        let config = server_config(pem.as_bytes(), key.serialize_pem().as_bytes())?;
        Ok(Self { pem, config })
    }

    /// Returns the certificate, for whoever is to trust it: `sslrootcert` for pgferry's clients and libpq.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the configuration of a server that has it.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

// The configuration holds a private key.
impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pem, config: _ } = self;
        f.debug_struct("SelfSigned").field("pem", pem).finish_non_exhaustive()
    }
}
