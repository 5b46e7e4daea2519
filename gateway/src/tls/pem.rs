use pgferry::{Error, Result};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::provider;

/// Reads a chain of certificates and the key of the first.
pub(super) fn certified_key(cert_pem: &[u8], key_pem: &[u8]) -> Result<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(cert_pem)
        .collect::<std::result::Result<Vec<_>, pem::Error>>()
        .map_err(|error| Error::refused(format!("the certificate cannot be read: {error}")))?;
    if chain.is_empty() {
        return Err(Error::refused(
            "there is no certificate: it has to be PEM, with a line -----BEGIN CERTIFICATE----- before it",
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|error| match error {
        pem::Error::NoItemsFound if contains(key_pem, b"ENCRYPTED PRIVATE KEY") => {
            Error::refused("the private key is encrypted: decrypt it first, with openssl pkey -in FILE -out FILE")
        }
        pem::Error::NoItemsFound => Error::refused(
            "there is no private key: it has to be PEM, with a line such as -----BEGIN PRIVATE KEY----- before it",
        ),
        error => Error::refused(format!("the private key cannot be read: {error}")),
    })?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => Error::refused(
            "the private key is not the certificate's: give those that were made together, and the server's own certificate first",
        ),
        error => Error::refused(format!("the certificate or its key cannot be used: {error}")),
    })
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|part| part == words)
}
