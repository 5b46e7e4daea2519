use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{ServerConfig, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::NamedTempFile;

/// A certificate authority for one test.
///
/// # Example
///
/// ```
/// use pgferry_test_support::TestCa;
///
/// let ca = TestCa::new()?;
/// let server = ca.server_config(["localhost", "127.0.0.1"])?;
/// assert!(std::fs::read_to_string(ca.pem_file())?.starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl TestCa {
    /// Makes an authority with a key of its own.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes or no temporary file.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "pgferry test authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let file = tempfile::Builder::new().prefix("pgferry-ca-").suffix(".pem").tempfile()?;
        std::fs::write(file.path(), issuer.pem())?;
        Ok(Self { issuer, file })
    }

    /// Returns the authority's certificate.
    #[must_use]
    pub fn ca_der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// Returns the file that holds the authority's certificate, for `sslrootcert`; it lives as long as this.
    #[must_use]
    pub fn pem_file(&self) -> &Path {
        self.file.path()
    }

    /// Makes a server's configuration, with a certificate for these names and addresses and without ALPN.
    ///
    /// # Errors
    ///
    /// When a name cannot stand in a certificate.
    pub fn server_config<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<Arc<ServerConfig>> {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).ok().context("the key is malformed")?;
        // Never the process's default provider: the tests' tree has two, and then there is none.
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(Arc::new(config))
    }
}
