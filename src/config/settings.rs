use std::{collections::BTreeSet, fmt, net::SocketAddr, time::Duration};

use rustls_pki_types::CertificateDer;

use super::{
    Describe, ParameterReport, Provider, RequireAuth, Transport, credentials::Secret, source::Source,
    template::Template,
};

/// Everything that a connection is opened with.
///
/// A config comes from a URL ([`FromStr`](std::str::FromStr), `TryFrom`), from the environment ([`Config::from_env`],
/// [`Config::from_env_with_url`]) or from code ([`Config::new`] and the setters). All three call [`Config::param`], so the
/// same values mean the same everywhere. Nothing is global: a URL given in code is read without a look at the environment.
///
/// ```
/// use pgferry::{Config, Transport, config::Provider};
///
/// let config: Config =
///     "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/dbname?transport=http".parse()?;
/// assert_eq!(config.get_provider(), Provider::Neon);
/// assert_eq!(config.get_transport(), Transport::Http);
/// assert_eq!(config.endpoint_http()?.as_str(), "https://api.us-east-2.aws.neon.tech/sql");
/// # Ok::<(), pgferry::Error>(())
/// ```
///
/// # The options
///
/// A URL is `postgresql://user:password@host:port/dbname?parameter=value&…`. Whatever stands in it is percent-encoded: a
/// password's `@` is `%40`. Parameters that the table does not list are refused, and so are those given twice.
///
/// | URL | environment | default | what it does |
/// |---|---|---|---|
/// | the host, `host` | `PGHOST`, `DATABASE_HOST` | none | the database's host; it decides the provider. One name, IPv4 or (in brackets) IPv6 address |
/// | the port, `port` | `PGPORT`, `DATABASE_PORT` | 5432 | Postgres's port, as the endpoint knows it; the endpoint's own port is in its URL |
/// | the user, `user` | `PGUSER`, `DATABASE_USERNAME` | none | the role |
/// | the password, `password` | `PGPASSWORD`, `DATABASE_PASSWORD` | none | the role's password |
/// | the path, `dbname` | `PGDATABASE`, `DATABASE_NAME` | the user | the database |
/// | `transport` | `PGFERRY_TRANSPORT` | `websocket` | `http` or `websocket`; `auto` is not yet there |
/// | `describe` | `PGFERRY_DESCRIBE` | `late`; `always` for `pgferry bridge` | `always` tells sqlx a statement's columns when it asks, `late` with the rows, which saves a round trip; other clients of a bridge are always told when they ask |
/// | `provider` | `PGFERRY_PROVIDER` | from the host | `neon`, `planetscale` or `other` |
/// | `http_url` | `PGFERRY_HTTP_URL` | the provider's | where SQL over HTTP is served; `{host}` and `{port}` are filled in |
/// | `ws_url` | `PGFERRY_WS_URL` | the provider's | where Postgres is served over WebSocket; `{host}` and `{port}` are filled in |
/// | `allow_plaintext` | `PGFERRY_ALLOW_PLAINTEXT` | `false` | `true` lets `http_url` and `ws_url` be plain `http:`/`ws:` for hosts other than loopback |
/// | `require_auth` | `PGREQUIREAUTH` | the provider's | which authentication may be answered, as in libpq |
/// | `connect_timeout` | `PGCONNECT_TIMEOUT` | 10 | seconds until a connect fails; 0 is without a limit |
/// | `request_timeout` | `PGFERRY_REQUEST_TIMEOUT` | none | seconds until a statement fails; 0 is without a limit |
/// | `max_request_size`, `max_response_size` | | 67108864 | bytes |
/// | `application_name`, `fallback_application_name` | `PGAPPNAME` | none | sent when a WebSocket's session opens; set by each request over HTTP |
/// | `options`, `options[name]` | `PGOPTIONS` | none | the session's options (`-c name=value`), sent when a WebSocket's session opens, set by each request over HTTP; `endpoint=<id>` selects a Neon endpoint |
/// | `sslmode` | `PGSSLMODE` | | `require`, `verify-ca` and `verify-full` insist on TLS, always verified in full; `disable`, `allow` and `prefer` are left out, since the endpoint's URL decides |
/// | `sslrootcert` | `PGSSLROOTCERT` | `system` | `system`, or a file of PEM certificates that are trusted instead |
/// | `channel_binding` | `PGCHANNELBINDING` | | `require` and `prefer` are left out: TLS ends at the endpoint, so there is no channel to Postgres to bind to |
/// | `sslnegotiation` | `PGSSLNEGOTIATION` | | left out: TLS always starts directly |
/// | `target_session_attrs`, `load_balance_hosts` | `PGTARGETSESSIONATTRS` | | applied where one host can satisfy it, left out where it is a preference, refused otherwise |
/// | `pgbouncer` | | from host and port | whether the server is a pooler in transaction mode |
/// | `client_encoding` | | `UTF8` | anything else is refused |
/// | `schema` | | | `public` is left out, anything else refused (use `options`) |
/// | `gssencmode`, `keepalives…`, `tcp_user_timeout`, `connection_limit`, `pool_timeout`, `statement-cache-capacity`, `statement_cache_size`, `replication`, `sslcompression`, `sslsni` | | | left out, since nothing is lost; a value that would be lost is refused |
/// | `hostaddr`, `service`, `passfile`, `sslcert`, `sslkey`, `sslcrl`, `statement_timeout`, `search_path` … | | | refused, with what to do instead |
///
/// What became of each can be read from [`Config::parameters`]. [`Config::addresses`], [`Config::bearer_token`],
/// [`Config::credential_provider`] and certificates from memory come from code only.
///
/// # Precedence
///
/// 1. A setter called later beats everything before it.
/// 2. The URL, in which each part and parameter may be given once.
/// 3. `PGFERRY_…` variables, for what the URL leaves out: for whoever shares a URL with psql, which refuses unknown parameters.
/// 4. `PG…` variables, for what is left out until then, as in libpq.
/// 5. The `DATABASE_…` set, as a whole: it is read where neither a URL nor `PGHOST` names the database, and then
///    `PGPORT PGDATABASE PGUSER PGPASSWORD` are not, so that one server's password never goes to another.
///
/// Empty variables count as missing. Of libpq's other variables (`PGHOSTADDR`, `PGSERVICE`, `PGPASSFILE` …) none is read.
///
/// # Endpoints
///
/// | provider | host | HTTP | WebSocket |
/// |---|---|---|---|
/// | Neon | `*.neon.tech` | `https://api.<rest of the host>/sql`, `apiauth.` with a bearer token | `wss://<host>/v2` |
/// | PlanetScale | `*.pg.psdb.cloud`, `*.horizon.psdb.cloud` | `https://<host>/sql` | `wss://<host>/v2?address=<host>:<port>` |
/// | other | any other | `https://<host>/sql` | `wss://<host>/v2?address=<host>:<port>` |
///
/// A loopback host has no endpoint of its own: what listens on `localhost:5432` is Postgres itself. Put `pgferry gateway` in
/// front of it and use the URL that it prints. Plain `http:` and `ws:` are accepted for loopback hosts only, or where
/// `allow_plaintext` names them; there is no silent fall back to them.
#[derive(Clone)]
pub struct Config {
    pub(super) host: Option<(String, Source)>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) dbname: Option<String>,
    pub(super) credential: Secret,
    pub(super) application_name: Option<String>,
    pub(super) options: Option<(String, Source)>,
    pub(super) transport: Transport,
    pub(super) describe: Option<Describe>,
    pub(super) provider: Option<Provider>,
    pub(super) http_url: Option<Template>,
    pub(super) ws_url: Option<Template>,
    pub(super) allow_plaintext: bool,
    pub(super) require_tls: bool,
    pub(super) pooled: Option<bool>,
    pub(super) require_auth: Option<RequireAuth>,
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Option<Duration>,
    pub(super) max_request_size: usize,
    pub(super) max_response_size: usize,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) root_certificates: Vec<CertificateDer<'static>>,
    /// The keys that were given as parameters, to tell what the environment may fill in.
    pub(super) given: BTreeSet<&'static str>,
    pub(super) parameters: Vec<ParameterReport>,
}

impl Config {
    /// Returns a config with nothing but defaults; at least a host and a user must be set before it is used.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::Config;
    ///
    /// let config = Config::new().host("db.example").user("app").password("p@ss").dbname("shop");
    /// assert_eq!(config.endpoint_ws()?.as_str(), "wss://db.example/v2?address=db.example:5432");
    /// assert!(Config::new().endpoint_ws().is_err());
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        const SIZE: usize = 64 * 1024 * 1024;
        Self {
            host: None,
            port: None,
            user: None,
            dbname: None,
            credential: Secret::None,
            application_name: None,
            options: None,
            transport: Transport::default(),
            describe: None,
            provider: None,
            http_url: None,
            ws_url: None,
            allow_plaintext: false,
            require_tls: false,
            pooled: None,
            require_auth: None,
            connect_timeout: Duration::from_secs(10),
            request_timeout: None,
            max_request_size: SIZE,
            max_response_size: SIZE,
            addresses: Vec::new(),
            root_certificates: Vec::new(),
            given: BTreeSet::new(),
            parameters: Vec::new(),
        }
    }
}

/// As [`Config::new`].
impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows every setting but the secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            port,
            user,
            dbname,
            credential,
            application_name,
            options,
            transport,
            describe,
            provider,
            http_url,
            ws_url,
            allow_plaintext,
            require_tls,
            pooled,
            require_auth,
            connect_timeout,
            request_timeout,
            max_request_size,
            max_response_size,
            addresses,
            root_certificates,
            given: _,
            parameters: _,
        } = self;
        f.debug_struct("Config")
            .field("host", &host.as_ref().map(|(host, _)| host))
            .field("port", port)
            .field("user", user)
            .field("dbname", dbname)
            .field("credential", credential)
            .field("application_name", application_name)
            .field("options", &options.as_ref().map(|(options, _)| options))
            .field("transport", transport)
            .field("describe", describe)
            .field("provider", provider)
            .field("http_url", &http_url.as_ref().map(Template::shown))
            .field("ws_url", &ws_url.as_ref().map(Template::shown))
            .field("allow_plaintext", allow_plaintext)
            .field("require_tls", require_tls)
            .field("pooled", pooled)
            .field("require_auth", require_auth)
            .field("connect_timeout", connect_timeout)
            .field("request_timeout", request_timeout)
            .field("max_request_size", max_request_size)
            .field("max_response_size", max_response_size)
            .field("addresses", addresses)
            .field("root_certificates", &root_certificates.len())
            .finish()
    }
}
