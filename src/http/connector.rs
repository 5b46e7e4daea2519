use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use reqwest::{header::HeaderValue, redirect};
use rustls::ClientConfig;
use url::{Host, Url};

use crate::{
    config::{Config, Credential},
    error::{Error, Result},
    net,
};

/// How much of one response the server may send ahead of its reader, in bytes; over HTTP/2, where responses share a
/// connection.
const STREAM_WINDOW: u32 = 1024 * 1024;

/// How much of all responses of a connection the server may send ahead, in bytes: enough for more unread responses than
/// servers allow at once (200 at Neon), so that they cannot stop the next request.
const CONNECTION_WINDOW: u32 = 1024 * STREAM_WINDOW;

/// How long an unused connection is kept. Short, because a function that was frozen meanwhile finds it dead.
const IDLE: Duration = Duration::from_secs(15);

/// After how long without a word a server is asked over HTTP/2, while a response is awaited, whether it lives.
const PING_AFTER: Duration = Duration::from_secs(20);

/// How long the answer to that may take.
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// The connections, and where requests go.
#[derive(Clone)]
pub(super) struct Connector {
    connections: Arc<Connections>,
    with_password: Endpoint,
    with_token: Endpoint,
}

/// The connections that requests go on, and what opens others.
struct Connections {
    current: RwLock<reqwest::Client>,
    connect_timeout: Duration,
    tls: Arc<ClientConfig>,
    /// The addresses that stand for the hosts' names.
    resolved: Vec<(String, Vec<SocketAddr>)>,
}

/// Where a request goes.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// The URL; without its port where the addresses to connect to bring their own.
    pub(super) url: Url,
    /// The host and port in messages.
    pub(super) name: Arc<str>,
    /// The `Host` header, where it does not follow from the URL.
    pub(super) host: Option<HeaderValue>,
}

impl Connector {
    pub(super) fn new(config: &Config) -> Result<Self> {
        let tls = net::tls_config(config, &[b"h2", b"http/1.1"])?;
        let endpoints = [config.endpoint_http()?, config.endpoint_http_bearer()?];
        let addresses = config.get_addresses();
        let mut resolved = Vec::new();
        if !addresses.is_empty() {
            for url in &endpoints {
                let Some(Host::Domain(name)) = url.host() else {
                    return Err(Error::config(
                        "addresses stand for a host's name, but the endpoint's URL has an IP address: leave one out",
                    ));
                };
                resolved.push((name.to_owned(), with_ports(addresses, url)));
            }
        }
        let connect_timeout = config.get_connect_timeout();
        let connections = Arc::new(Connections {
            current: RwLock::new(open_none(connect_timeout, &tls, &resolved)?),
            connect_timeout,
            tls,
            resolved,
        });
        let [with_password, with_token] = endpoints.map(|url| Endpoint::new(url, addresses.is_empty()));
        Ok(Self { connections, with_password: with_password?, with_token: with_token? })
    }

    /// The connections of now.
    pub(super) fn http(&self) -> reqwest::Client {
        self.connections.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets later requests go on new connections, because those of now may lead nowhere; what is under way is let be.
    pub(super) fn forget_connections(&self) {
        let Connections { current, connect_timeout, tls, resolved } = &*self.connections;
        match open_none(*connect_timeout, tls, resolved) {
            Ok(anew) => *current.write().unwrap_or_else(PoisonError::into_inner) = anew,
            Err(error) => tracing::debug!(%error, "old connections are used on"),
        }
    }

    pub(super) fn endpoint(&self, credential: &Credential) -> &Endpoint {
        match credential {
            Credential::Password(_) => &self.with_password,
            Credential::Bearer(_) => &self.with_token,
        }
    }
}

/// A URL may hold a user and a password, so that only the host and port are shown.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections: _, with_password, with_token: _ } = self;
        f.write_str(&with_password.name)
    }
}

impl Endpoint {
    fn new(mut url: Url, resolved_by_name: bool) -> Result<Self> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let mut header = None;
        if !resolved_by_name && url.port().is_some() {
            // reqwest lets a URL's port override that of an address.
            header = HeaderValue::from_str(&authority).ok();
            url.set_port(None).map_err(|()| Error::config("the endpoint's URL has no host"))?;
        }
        Ok(Self { url, name: authority.into(), host: header })
    }
}

/// Makes a client that has no connection yet.
fn open_none(
    connect_timeout: Duration,
    tls: &ClientConfig,
    resolved: &[(String, Vec<SocketAddr>)],
) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .user_agent(concat!("pgferry/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        // A proxy from the environment would see plain HTTP's passwords, and the feature that reads it is off.
        .no_proxy()
        // What may be sent again is decided where the outcome is known.
        .retry(reqwest::retry::never())
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(PING_AFTER)
        .http2_keep_alive_timeout(PONG_WITHIN);
    for (name, addresses) in resolved {
        builder = builder.resolve_to_addrs(name, addresses);
    }
    builder.build().map_err(|error| Error::config("the HTTP client cannot be built").with_source(error))
}

/// Port 0 means the URL's.
fn with_ports(addresses: &[SocketAddr], url: &Url) -> Vec<SocketAddr> {
    let port = url.port_or_known_default().unwrap_or(443);
    let with_port = |address: &SocketAddr| match address.port() {
        0 => SocketAddr::new(address.ip(), port),
        _ => *address,
    };
    addresses.iter().map(with_port).collect()
}
