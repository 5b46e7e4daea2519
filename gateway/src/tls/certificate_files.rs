use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use pgferry::{Error, Result};
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{pem, resolved_by};

/// A certificate and its key in two PEM files, which can be read again while a gateway serves with them.
///
/// # Example
///
/// ```no_run
/// use pgferry_gateway::{GatewayConfig, tls::CertificateFiles};
///
/// let files = CertificateFiles::read("fullchain.pem", "privkey.pem")?;
/// let config = GatewayConfig::new("postgresql://localhost".parse()?).tls(files.server_config()?);
/// // Later, when the certificate was renewed:
/// files.read_again()?;
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone)]
pub struct CertificateFiles(Arc<Inner>);

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl CertificateFiles {
    /// Reads the certificate, with those of the authorities behind it, and its key.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or as [`server_config`](super::server_config) says. The message names the files.
    pub fn read(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self> {
        let (certificate, key) = (certificate.into(), key.into());
        let current = RwLock::new(read(&certificate, &key)?);
        Ok(Self(Arc::new(Inner { certificate, key, current })))
    }

    /// Reads both files again, for the connections that come from now on.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); the gateway then goes on with what it had.
    pub fn read_again(&self) -> Result<()> {
        let fresh = read(&self.0.certificate, &self.0.key)?;
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Returns the configuration of a server that always has what was read last.
    ///
    /// # Errors
    ///
    /// When TLS is impossible altogether.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>> {
        resolved_by(Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>)
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>> {
    let contents = |path: &Path| {
        fs::read(path).map_err(|error| Error::refused(format!("{} cannot be read: {error}", path.display())))
    };
    let (cert_pem, key_pem) = (contents(certificate)?, contents(key)?);
    pem::certified_key(&cert_pem, &key_pem)
        .map(Arc::new)
        .map_err(|error| Error::refused(format!("{} and {}: {error}", certificate.display(), key.display())))
}

impl ResolvesServerCert for Inner {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for CertificateFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// Without the key.
impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, key, current: _ } = self;
        f.debug_struct("CertificateFiles").field("certificate", certificate).field("key", key).finish_non_exhaustive()
    }
}
