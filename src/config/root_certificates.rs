use std::path::Path;

use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::Config;
use crate::error::{Error, Result};

/// Which certificate authorities are trusted.
impl Config {
    /// Trusts these certificates, in DER, instead of the platform's; none trusts the platform's again.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn root_certificates(mut self, certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        self.root_certificates = certificates.into_iter().collect();
        self
    }

    /// Trusts the certificates of a PEM text instead of the platform's.
    ///
    /// Defaults to none.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: the text is not PEM, or holds no certificate.
    pub fn root_certificates_pem(self, pem: &[u8]) -> Result<Self> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::config("the root certificates are not valid PEM").with_source(error))?;
        if certificates.is_empty() {
            return Err(Error::config("the root certificates hold no `BEGIN CERTIFICATE`: give certificates as PEM"));
        }
        Ok(self.root_certificates(certificates))
    }

    /// Trusts the certificates of a PEM file instead of the platform's; the file is read now.
    ///
    /// Defaults to none.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: the file cannot be read, is not PEM, or holds no certificate.
    pub fn root_certificates_file(self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let pem = std::fs::read(path).map_err(|error| {
            Error::config(format!("the root certificates in {} cannot be read: {error}", path.display()))
        })?;
        self.root_certificates_pem(&pem).map_err(|error| error.within(path.display()))
    }
}
