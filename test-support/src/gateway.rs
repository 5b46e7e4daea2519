use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};

use crate::{postgres::Postgres, test_ca::TestCa, worker::Worker};

/// A gateway before a Postgres, on a thread of its own, until it is dropped.
///
/// # Example
///
/// ```
/// use pgferry_test_support::{Postgres, TestGateway};
///
/// let postgres = Postgres::start()?;
/// let gateway = TestGateway::start(&postgres)?;
/// assert!(gateway.http_url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct TestGateway {
    _worker: Worker,
    address: SocketAddr,
    http_url: String,
    ws_url: String,
    /// The authority that clients must trust, where it serves TLS.
    ca_file: Option<PathBuf>,
}

impl TestGateway {
    /// Starts a plain gateway with the defaults.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start(postgres: &Postgres) -> Result<Self> {
        Self::with(Self::config(postgres))
    }

    /// Starts a gateway that serves TLS, as `localhost` and 127.0.0.1; the URLs that it gives trust the authority.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start_tls(postgres: &Postgres, ca: &TestCa) -> Result<Self> {
        let tls = ca.server_config(["localhost", "127.0.0.1"])?;
        let mut gateway = Self::with(Self::config(postgres).tls(tls))?;
        gateway.ca_file = Some(ca.pem_file().to_owned());
        Ok(gateway)
    }

    /// Starts a gateway with a configuration.
    ///
    /// # Errors
    ///
    /// When it cannot listen, or the configuration is refused.
    pub fn with(config: GatewayConfig) -> Result<Self> {
        let (worker, (address, http_url, ws_url)) = Worker::start(|| async {
            let gateway = Gateway::bind(config).await?;
            Ok(((gateway.local_addr(), gateway.http_url(), gateway.ws_url()), gateway))
        })?;
        Ok(Self { _worker: worker, address, http_url, ws_url, ca_file: None })
    }

    /// Returns the configuration of a gateway before this server, to be changed and given to [`with`](Self::with).
    pub fn config(postgres: &Postgres) -> GatewayConfig {
        GatewayConfig::new(Upstream::new("127.0.0.1", postgres.port()))
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns where it serves SQL over HTTP.
    #[must_use]
    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    /// Returns where it serves Postgres over WebSocket.
    #[must_use]
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }

    /// Adds to a Postgres URL what pgferry's clients need to reach it through this gateway.
    #[must_use]
    pub fn ferry(&self, url: &str) -> String {
        let mut url = url_through(url, &self.http_url, &self.ws_url);
        if let Some(file) = &self.ca_file {
            url.push_str("&sslrootcert=");
            url.extend(utf8_percent_encode(&file.to_string_lossy(), NON_ALPHANUMERIC));
        }
        url
    }
}

/// Adds the endpoints to a Postgres URL that has no parameters.
pub(crate) fn url_through(url: &str, http_url: &str, ws_url: &str) -> String {
    let [http_url, ws_url] = [http_url, ws_url].map(|url| utf8_percent_encode(url, NON_ALPHANUMERIC));
    format!("{url}?http_url={http_url}&ws_url={ws_url}")
}
