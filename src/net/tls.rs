use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustls::{
    CertificateError, ClientConfig, RootCertStore, client::danger::ServerCertVerifier, crypto::CryptoProvider,
};
use rustls_pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Deadline, tcp::unbracketed};
use crate::{
    config::Config,
    error::{Error, Result},
};

/// Returns a rustls configuration that trusts the config's root certificates, or the platform's where it names none, and
/// offers these ALPN protocols.
///
/// The cryptography is named explicitly (feature `aws-lc-rs`, else `ring`) and never the process's default, which panics
/// where both are in a program's tree.
///
/// # Errors
///
/// - [`Error::is_config`] when pgferry was built without TLS, or a root certificate cannot be used.
/// - [`Error::is_tls`] when the platform has no root certificates.
///
/// # Example
///
/// ```
/// # fn main() -> pgferry::Result<()> {
/// let config: pgferry::Config = "postgres://app:secret@db.example/app".parse()?;
/// let tls = pgferry::net::tls_config(&config, &[b"h2", b"http/1.1"])?;
/// assert_eq!(tls.alpn_protocols.len(), 2);
/// # Ok(())
/// # }
/// ```
pub fn tls_config(config: &Config, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>> {
    client_config(config.get_root_certificates(), alpn)
}

/// As [`tls_config`]; no roots mean the platform's.
pub(super) fn client_config(roots: &[CertificateDer<'static>], alpn: &[&[u8]]) -> Result<Arc<ClientConfig>> {
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("the TLS library supports no version of TLS").with_source(error))?;
    let mut tls = if roots.is_empty() {
        builder.dangerous().with_custom_certificate_verifier(platform_verifier(provider)?).with_no_client_auth()
    } else {
        let mut store = RootCertStore::empty();
        for certificate in roots {
            store.add(certificate.clone()).map_err(|error| {
                Error::config("a root certificate cannot be used: give it as DER").with_source(error)
            })?;
        }
        builder.with_root_certificates(store).with_no_client_auth()
    };
    tls.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(tls))
}

/// Speaks TLS on a connection, with the host as server name; an IP address is verified but not sent (RFC 6066, section 3).
///
/// Cancel safe in that dropping it closes the connection.
pub(super) async fn connect_tls(
    tls: Arc<ClientConfig>,
    host: &str,
    tcp: TcpStream,
    deadline: &Deadline,
) -> Result<TlsStream<TcpStream>> {
    let host = unbracketed(host);
    let name = ServerName::try_from(host)
        .map_err(|error| Error::config(format!("{host:?} is not a host name that TLS can verify")).with_source(error))?
        .to_owned();
    let handshake = async {
        TlsConnector::from(tls)
            .connect(name, tcp)
            .await
            .map_err(|error| Error::tls(format!("the TLS handshake with {host} failed: {error}{}", remedy(&error))))
    };
    deadline.bound(&format!("TLS handshake with {host}"), handshake).await
}

/// What to do about a failure that has one usual reason.
fn remedy(error: &io::Error) -> &'static str {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(certificate)) => certificate_remedy(certificate),
        Some(rustls::Error::InvalidMessage(_)) => " (the server does not speak TLS on this port)",
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            " (the server closed the connection instead of answering: does it speak TLS on this port?)"
        }
        _ => "",
    }
}

fn certificate_remedy(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => {
            " (nobody that is trusted here signed the certificate: name its root certificate, if it is the right server)"
        }
        CertificateError::BadSignature => {
            " (another authority signed it than the one of that name that is trusted here: name its root certificate, if it is \
             the right server)"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            " (the server must renew it, unless this machine's clock is wrong)"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            " (is this machine's clock right?)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            " (the certificate is another host's: connect by a name that it is for, if it is the right server)"
        }
        _ => "",
    }
}

#[cfg(feature = "aws-lc-rs")]
fn provider() -> Result<Arc<CryptoProvider>> {
    Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn provider() -> Result<Arc<CryptoProvider>> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
fn provider() -> Result<Arc<CryptoProvider>> {
    Err(Error::config("pgferry was built without TLS: turn on its feature `ring` or `aws-lc-rs`"))
}

/// How long the platform's roots are taken from memory. Reading and parsing them takes milliseconds, on the thread that
/// every connection shares; a store that the system updates is still noticed within the hour.
const ROOTS_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The platform's own verifier, the same for every connection of the process.
fn platform_verifier(provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    static LAST: Mutex<Option<(Instant, Arc<Verifier>)>> = Mutex::new(None);

    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read_at, verifier)) = &*last
        && read_at.elapsed() < ROOTS_LIFETIME
    {
        return Ok(verifier.clone());
    }
    let verifier = Verifier::new(provider).map_err(|error| {
        Error::tls("the platform has no root certificates: install its `ca-certificates`, or name a root certificate")
            .with_source(error)
    })?;
    let verifier = Arc::new(verifier);
    *last = Some((Instant::now(), verifier.clone()));
    Ok(verifier)
}
