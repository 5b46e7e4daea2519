use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use pgferry::{Error, Result};

use crate::{
    faults::Faults,
    safety::{Hosts, Origins},
    sql::Limits,
    upstream::Upstream,
    ws_auth::WsAuth,
};

const MIB: usize = 1024 * 1024;

/// What a gateway stands in front of, where it listens and whom it lets in.
///
/// # Example
///
/// ```
/// use pgferry_gateway::{GatewayConfig, WsAuth};
///
/// let config = GatewayConfig::new("postgresql://localhost:5432".parse()?)
///     .listen(([127, 0, 0, 1], 4444).into())
///     .ws_auth(WsAuth::Relay)
///     .allow_origin("http://localhost:3000");
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct GatewayConfig {
    pub(crate) upstream: Upstream,
    pub(crate) listen: SocketAddr,
    pub(crate) ws_auth: WsAuth,
    pub(crate) origins: Origins,
    pub(crate) hosts: Hosts,
    /// Upstreams that `?address=` may name besides the upstream itself.
    pub(crate) addresses: Vec<Upstream>,
    pub(crate) limits: Limits,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_role: Option<usize>,
    pub(crate) queue_timeout: Duration,
    pub(crate) max_clients: usize,
    pub(crate) max_request_memory: usize,
    pub(crate) metrics: bool,
    pub(crate) pool_size: usize,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_lifetime: Duration,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) allow_plain: bool,
    pub(crate) faults: Faults,
}

impl GatewayConfig {
    /// Makes the configuration of a gateway in front of this server, with every other setting at its default.
    pub fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            ws_auth: WsAuth::default(),
            origins: Origins::default(),
            hosts: Hosts::default(),
            addresses: Vec::new(),
            limits: Limits { request: 64 * MIB, response: 64 * MIB, silence: Duration::from_secs(60) },
            max_connections: 80,
            max_connections_per_role: None,
            queue_timeout: Duration::from_secs(30),
            max_clients: 10_000,
            max_request_memory: 256 * MIB,
            metrics: false,
            pool_size: 20,
            idle_timeout: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(60),
            tls: None,
            allow_plain: false,
            faults: Faults::default(),
        }
    }

    /// Sets the address to listen on. Defaults to 127.0.0.1 and a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets how callers log in through the WebSocket. Defaults to [`WsAuth::Cleartext`].
    pub fn ws_auth(mut self, ws_auth: WsAuth) -> Self {
        self.ws_auth = ws_auth;
        self
    }

    /// Lets pages of this origin (`https://app.example`) use the gateway from a browser. Defaults to none.
    ///
    /// `*` lets every page in and turns the check of the Host header off, as at the providers: on a developer's machine,
    /// whatever page is open can then reach the database, if it knows a password.
    pub fn allow_origin(mut self, origin: impl AsRef<str>) -> Self {
        self.origins.allow(origin.as_ref());
        self
    }

    /// Lets requests in that call the gateway by this name, without a port. Defaults to loopback names (`localhost`,
    /// `*.localhost`, 127.0.0.0/8, `[::1]`) and the address it listens on.
    pub fn allow_host(mut self, host: impl AsRef<str>) -> Self {
        self.hosts.allow(host.as_ref());
        self
    }

    /// Lets a WebSocket's `?address=host:port` name this server besides the upstream. Defaults to none: a gateway is no
    /// open relay.
    pub fn allow_address(mut self, upstream: Upstream) -> Self {
        self.addresses.push(upstream);
        self
    }

    /// Sets the largest body of a request, in bytes. Defaults to 64 MiB.
    pub fn max_request_size(mut self, bytes: usize) -> Self {
        self.limits.request = bytes;
        self
    }

    /// Sets the largest body of a response over HTTP, in bytes. Defaults to 64 MiB.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.limits.response = bytes;
        self
    }

    /// Sets how long a client may say nothing while it is to speak: on a fresh connection and within a request's body, where less than
    /// 16 KiB a second counts as such; twice as
    /// long for the whole of a request's head, which counts from the answer before it. Over HTTP/2 a client is asked after so
    /// long whether it is still there, and has as long to answer. Defaults to 60 seconds.
    ///
    /// For so long may a client also take nothing of what there is for it, an answer over HTTP or a session's results: then its query
    /// is cancelled. A session with nothing to say may keep still for as long as it likes.
    pub fn client_timeout(mut self, timeout: Duration) -> Self {
        self.limits.silence = timeout;
        self
    }

    /// Sets how many connections to Postgres there are at once, for requests over HTTP and sessions over WebSocket together, used
    /// and idle ones. Defaults to 80, which leaves some of Postgres's own 100 to others.
    ///
    /// Sessions keep their connections, so they may have three quarters of them, and requests always have the rest. Whoever finds none
    /// free waits in the order of asking; sessions that are idle after a request are closed, the oldest first, where their
    /// connection is wanted for another role or for a WebSocket. Zero means one, which is then for either.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets how many of the connections one role may have at once, by the same rules. Defaults to no limit but
    /// [`max_connections`](Self::max_connections).
    pub fn max_connections_per_role(mut self, connections: usize) -> Self {
        self.max_connections_per_role = Some(connections);
        self
    }

    /// Sets how long a request or a session waits for a connection to come free. Then the one is answered with status 500 and
    /// `Too many connections to this endpoint. Please try again later.`, the other with Postgres's own error 53300. Defaults to 30
    /// seconds.
    pub fn queue_timeout(mut self, timeout: Duration) -> Self {
        self.queue_timeout = timeout;
        self
    }

    /// Sets how many connections clients may have at once, WebSockets among them; more wait until one closes. Defaults to 10,000.
    pub fn max_clients(mut self, clients: usize) -> Self {
        self.max_clients = clients;
        self
    }

    /// Sets how much memory requests may take together while they are read and taken apart, in bytes; one that finds none is
    /// answered with status 503. Defaults to 256 MiB, four times the largest request.
    ///
    /// A quarter of it is kept for requests of up to 64 KiB. Of a larger one no more is read before its caller has logged in.
    pub fn max_request_memory(mut self, bytes: usize) -> Self {
        self.max_request_memory = bytes;
        self
    }

    /// Serves the gateway's metrics at `GET /metrics`, in Prometheus's text form, to whoever reaches it: there is no log-in. Defaults
    /// to no.
    pub fn metrics(mut self, metrics: bool) -> Self {
        self.metrics = metrics;
        self
    }

    /// Sets how many requests with the same user, password and database run at the same time; more wait. Defaults to 20.
    pub fn pool_size(mut self, sessions: usize) -> Self {
        self.pool_size = sessions;
        self
    }

    /// Sets how long an idle session for requests over HTTP stays logged in. Defaults to 60 seconds.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets how long after its log-in a session serves requests over HTTP, however busy it is. Defaults to 60 seconds: for so
    /// long may a request still go through after its password was changed or its role barred, and without a setting that
    /// `ALTER ROLE` or `ALTER DATABASE` gave since. Zero logs in for every request.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// Serves `https` and `wss` with this configuration, whose ALPN protocols become `h2` and `http/1.1` where it names
    /// none. Defaults to plain `http` and `ws`.
    pub fn tls(mut self, mut config: Arc<rustls::ServerConfig>) -> Self {
        if config.alpn_protocols.is_empty() {
            Arc::make_mut(&mut config).alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        self.tls = Some(config);
        self
    }

    /// Allows a plain gateway on an address that is not loopback, where passwords and data can be read on the way. Only for
    /// a network that is protected by other means, such as that of a container. Defaults to no.
    pub fn allow_plain(mut self, allow: bool) -> Self {
        self.allow_plain = allow;
        self
    }

    /// Makes things go wrong on purpose, for tests of what is in front of the gateway. Defaults to none.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.origins.check_names()?;
        if self.tls.is_none() && !self.allow_plain && !self.listen.ip().is_loopback() {
            return Err(Error::refused(format!(
                "{} can be reached from other machines and passwords would travel in cleartext: serve TLS (--tls-cert and --tls-key, or --tls-self-signed; GatewayConfig::tls), listen on 127.0.0.1, or allow it by name (--allow-plain; GatewayConfig::allow_plain)",
                self.listen
            )));
        }
        Ok(())
    }
}

// The TLS configuration holds a private key.
impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            upstream,
            listen,
            ws_auth,
            origins,
            hosts,
            addresses,
            limits,
            max_connections,
            max_connections_per_role,
            queue_timeout,
            max_clients,
            max_request_memory,
            metrics,
            pool_size,
            idle_timeout,
            max_lifetime,
            tls,
            allow_plain,
            faults,
        } = self;
        f.debug_struct("GatewayConfig")
            .field("upstream", upstream)
            .field("listen", listen)
            .field("ws_auth", ws_auth)
            .field("origins", origins)
            .field("hosts", hosts)
            .field("addresses", addresses)
            .field("limits", limits)
            .field("max_connections", max_connections)
            .field("max_connections_per_role", max_connections_per_role)
            .field("queue_timeout", queue_timeout)
            .field("max_clients", max_clients)
            .field("max_request_memory", max_request_memory)
            .field("metrics", metrics)
            .field("pool_size", pool_size)
            .field("idle_timeout", idle_timeout)
            .field("max_lifetime", max_lifetime)
            .field("tls", &tls.is_some())
            .field("allow_plain", allow_plain)
            .field("faults", faults)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_for_loopback_alone() {
        let config = GatewayConfig::new(Upstream::new("localhost", 5432));
        assert!(config.check().is_ok());
        let everywhere = config.listen(([0, 0, 0, 0], 4444).into());
        assert!(everywhere.check().is_err_and(|error| error.message().contains("--allow-plain")));
        assert!(everywhere.allow_plain(true).check().is_ok());
    }
}
