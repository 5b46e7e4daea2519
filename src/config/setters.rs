use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Config, Credential, CredentialProvider, Describe, Password, Provider, RequireAuth, Transport, credentials::Secret,
    source::Source, template::Template,
};

/// A deadline further away is as good as none, and no clock has trouble counting to it.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The setters; each takes the config and returns it.
impl Config {
    /// Sets the database's host: a name, an IPv4 or an IPv6 address. Checked by [`Config::get_host`].
    ///
    /// Defaults to none, which is an error where a connection is opened.
    #[must_use]
    pub fn host(self, host: impl Into<String>) -> Self {
        self.host_from(host.into(), Source::Code)
    }

    /// Sets the port of Postgres, as the endpoint knows it; the endpoint's own is part of its URL.
    ///
    /// Defaults to 5432.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets the role.
    ///
    /// Defaults to none, which is an error where a connection is opened.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Sets the role's password, in place of any token or provider.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn password(mut self, password: impl Into<Password>) -> Self {
        self.credential = Secret::Fixed(Credential::Password(password.into()));
        self
    }

    /// Sets a token for SQL over HTTP, in place of any password or provider. A WebSocket takes passwords only.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn bearer_token(mut self, token: impl Into<Password>) -> Self {
        self.credential = Secret::Fixed(Credential::Bearer(token.into()));
        self
    }

    /// Asks a provider for the password or token each time, in place of a fixed one.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn credential_provider(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.credential = Secret::Provided(provider);
        self
    }

    /// Sets the database.
    ///
    /// Defaults to the user's name, as in libpq.
    #[must_use]
    pub fn dbname(mut self, dbname: impl Into<String>) -> Self {
        self.dbname = Some(dbname.into());
        self
    }

    /// Sets the application's name, sent over WebSocket.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = Some(name.into());
        self
    }

    /// Sets the session's options (`-c statement_timeout=5s`), sent over WebSocket; over HTTP only Neon's `endpoint=<id>` works.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn options(self, options: impl Into<String>) -> Self {
        self.options_from(options.into(), Source::Code)
    }

    /// Sets what carries the statements.
    ///
    /// With [`Transport::Auto`], what a statement's text does not show needs [`Transport::WebSocket`]: a function, view or trigger that
    /// changes its session.
    ///
    /// Defaults to [`Transport::Auto`], which is the one transport there is where only one endpoint is known.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Sets when clients of a bridge learn a statement's columns.
    ///
    /// Defaults to [`Describe::Late`] for a [`Bridge`](crate::bridge::Bridge) of the same process, and to [`Describe::Always`] for
    /// `pgferry bridge`, whose clients may be any.
    #[must_use]
    pub fn describe(mut self, describe: Describe) -> Self {
        self.describe = Some(describe);
        self
    }

    /// Sets whose endpoint it is.
    ///
    /// Defaults to what the host's name tells.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Sets where SQL over HTTP is served; `{host}` and `{port}` stand for the database's. Checked by [`Config::endpoint_http`].
    ///
    /// Defaults to the provider's.
    #[must_use]
    pub fn http_url(self, template: impl Into<String>) -> Self {
        self.http_url_from(Template::new("http_url", template.into(), Source::Code))
    }

    /// Sets where Postgres is served over WebSocket, used as it is (no `?address=` is added); `{host}` and `{port}` stand for
    /// the database's. Checked by [`Config::endpoint_ws`].
    ///
    /// Defaults to the provider's.
    #[must_use]
    pub fn ws_url(self, template: impl Into<String>) -> Self {
        self.ws_url_from(Template::new("ws_url", template.into(), Source::Code))
    }

    /// Allows plain `http:` and `ws:` endpoints on other hosts than loopback: everything, the password included, can then be
    /// read on the way.
    ///
    /// Defaults to `false`.
    #[must_use]
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// Refuses plain endpoints altogether, on loopback too, as `sslmode=require` and stricter do.
    ///
    /// Defaults to `false`.
    #[must_use]
    pub fn require_tls(mut self, require: bool) -> Self {
        self.require_tls = require;
        self
    }

    /// Says whether the server is a pooler in transaction mode; `None` asks the host (`-pooler`) and the port (6432).
    ///
    /// Defaults to `None`.
    #[must_use]
    pub fn pooled(mut self, pooled: Option<bool>) -> Self {
        self.pooled = pooled;
        self
    }

    /// Sets which authentication a server may ask for.
    ///
    /// Defaults to the provider's: SCRAM-SHA-256 alone for PlanetScale; that or a cleartext password (inside TLS) for Neon;
    /// anything for others.
    #[must_use]
    pub fn require_auth(mut self, methods: RequireAuth) -> Self {
        self.require_auth = Some(methods);
        self
    }

    /// Sets how long opening a connection may take, name look-up and TLS included. More than a year counts as a year.
    ///
    /// Defaults to 10 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout.min(LONGEST);
        self
    }

    /// Sets how long a statement may take until its last row has arrived. More than a year counts as a year.
    ///
    /// Defaults to `None`, without a limit.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.request_timeout = timeout.map(|timeout| timeout.min(LONGEST));
        self
    }

    /// Sets the largest request, in bytes.
    ///
    /// Defaults to 64 MiB.
    #[must_use]
    pub fn max_request_size(mut self, bytes: usize) -> Self {
        self.max_request_size = bytes;
        self
    }

    /// Sets the largest response, in bytes.
    ///
    /// Defaults to 64 MiB.
    #[must_use]
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Connects to these addresses, in turn, instead of asking DNS for the endpoint's host; a port of 0 means the URL's.
    ///
    /// Defaults to none.
    #[must_use]
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.addresses = addresses.into_iter().collect();
        self
    }
}

/// The same, for values whose errors come late and then name where the value came from.
impl Config {
    pub(super) fn host_from(mut self, host: String, source: Source) -> Self {
        // A host that can be kept is kept in one form; one that cannot is refused by `get_host`.
        self.host = Some((super::host::checked(&host).unwrap_or(host), source));
        self
    }

    pub(super) fn options_from(mut self, options: String, source: Source) -> Self {
        self.options = Some((options, source));
        self
    }

    pub(super) fn http_url_from(mut self, template: Template) -> Self {
        self.http_url = Some(template);
        self
    }

    pub(super) fn ws_url_from(mut self, template: Template) -> Self {
        self.ws_url = Some(template);
        self
    }
}
