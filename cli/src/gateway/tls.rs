use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process,
};

use anyhow::Context;
use clap::Args;
use pgferry_gateway::{
    GatewayConfig,
    tls::{CertificateFiles, SelfSigned},
};

use crate::problem::Usage;

/// Whether the gateway serves `https` and `wss`.
#[derive(Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct Tls {
    /// Serves TLS with the certificate in this PEM file, those of its authorities behind it; SIGHUP reads it again
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key, in a PEM file, not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Serves TLS with a certificate for localhost that is made now, and written to FILE or a temporary file
    ///
    /// The printed DATABASE_URL names the file as sslrootcert, so pgferry's clients trust it. Others have to be told: curl with
    /// --cacert FILE, Node.js with NODE_EXTRA_CA_CERTS=FILE.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with = "tls_cert"
    )]
    // Without a file it is a temporary one.
    tls_self_signed: Option<Option<PathBuf>>,
}

/// The certificate that was asked for.
pub(super) enum Certificate {
    None,
    Files(CertificateFiles),
    SelfSigned { certificate: SelfSigned, file: Option<PathBuf> },
}

impl Tls {
    /// Reads the files or makes a certificate. Nothing is written yet.
    pub(super) fn certificate(self) -> anyhow::Result<Certificate> {
        let Self { tls_cert, tls_key, tls_self_signed } = self;
        Ok(match (tls_cert.zip(tls_key), tls_self_signed) {
            (Some((certificate, key)), _) => {
                check("--tls-cert", &certificate)?;
                check("--tls-key", &key)?;
                let files = CertificateFiles::read(certificate, key).context("--tls-cert and --tls-key")?;
                Certificate::Files(files)
            }
            (None, Some(file)) => Certificate::SelfSigned { certificate: SelfSigned::for_localhost()?, file },
            (None, None) => Certificate::None,
        })
    }
}

/// Says of which option the file is that cannot be read.
fn check(option: &str, file: &Path) -> Result<(), Usage> {
    match fs::File::open(file) {
        Ok(_) => Ok(()),
        Err(error) => Err(Usage(format!("{option}: {} cannot be read: {error}", file.display()))),
    }
}

impl Certificate {
    pub(super) fn apply(&self, config: GatewayConfig) -> anyhow::Result<GatewayConfig> {
        Ok(match self {
            Self::None => config,
            Self::Files(files) => config.tls(files.server_config()?),
            Self::SelfSigned { certificate, .. } => config.tls(certificate.server_config()),
        })
    }

    /// Writes the certificate that clients have to be given, and reads the files again when the system says so. To be called within
    /// a runtime.
    pub(super) fn publish(&self) -> anyhow::Result<Published> {
        match self {
            Self::None => Ok(Published::default()),
            Self::Files(files) => {
                read_again_when_told(files.clone());
                Ok(Published::default())
            }
            Self::SelfSigned { certificate, file } => Published::write(certificate.pem(), file.as_deref()),
        }
    }
}

/// A certificate's file; a temporary one is removed when this is dropped.
#[derive(Default)]
pub(super) struct Published {
    file: Option<PathBuf>,
    temporary: bool,
}

impl Published {
    /// Returns the file that clients are to trust.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    fn write(pem: &str, file: Option<&Path>) -> anyhow::Result<Self> {
        let temporary = file.is_none();
        let file = file.map_or_else(
            || std::env::temp_dir().join(format!("pgferry-localhost-{}.pem", process::id())),
            Path::to_owned,
        );
        let mut options = OpenOptions::new();
        // In a directory that everybody can write to, nobody may choose what is written over.
        let options = if temporary {
            options.write(true).create_new(true)
        } else {
            options.write(true).create(true).truncate(true)
        };
        options
            .open(&file)
            .and_then(|mut opened| opened.write_all(pem.as_bytes()))
            .with_context(|| format!("the certificate cannot be written to {}", file.display()))?;
        Ok(Self { file: Some(file), temporary })
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.temporary) {
            // It may be gone already.
            let _ = fs::remove_file(file);
        }
    }
}

#[cfg(unix)]
fn read_again_when_told(files: CertificateFiles) {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => return tracing::warn!(%error, "SIGHUP will not read the certificate again"),
    };
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match files.read_again() {
                Ok(()) => tracing::info!("the certificate was read again"),
                Err(error) => tracing::warn!("{error}. The certificate that was read before stays."),
            }
        }
    });
}

#[cfg(not(unix))]
fn read_again_when_told(_files: CertificateFiles) {}
