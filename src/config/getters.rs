use std::{net::SocketAddr, time::Duration};

use rustls_pki_types::CertificateDer;

use super::{Config, Describe, ParameterReport, Provider, RequireAuth, Transport, host, neon, template::Template};
use crate::error::{Error, Result};

/// The getters: what a transport reads.
impl Config {
    /// Returns the database's host: in lower case, an IPv6 address without brackets.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: none is set, or it is no host.
    pub fn get_host(&self) -> Result<&str> {
        let Some((host, source)) = &self.host else {
            return Err(Error::config(
                "no host is configured: name it in the URL, in PGHOST or DATABASE_HOST, or with Config::host",
            ));
        };
        host::checked(host).map_err(|message| source.error("host", message))?;
        Ok(host)
    }

    /// Returns Postgres's port; 5432 where none was given.
    #[must_use]
    pub fn get_port(&self) -> u16 {
        self.port.unwrap_or(5432)
    }

    /// Returns the role.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: none is set, or it holds a NUL.
    pub fn get_user(&self) -> Result<&str> {
        match self.user.as_deref() {
            None | Some("") => Err(Error::config(
                "no user is configured: name it in the URL, in PGUSER or DATABASE_USERNAME, or with Config::user",
            )),
            Some(user) => without_nul("user", user),
        }
    }

    /// Returns the database; the user's name where none was given, as in libpq.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: neither is set, or it holds a NUL.
    pub fn get_dbname(&self) -> Result<&str> {
        match self.dbname.as_deref() {
            None | Some("") => self.get_user(),
            Some(dbname) => without_nul("dbname", dbname),
        }
    }

    /// Returns the application's name.
    #[must_use]
    pub fn get_application_name(&self) -> Option<&str> {
        self.application_name.as_deref().filter(|name| !name.is_empty())
    }

    /// Returns the session's options, Neon's `endpoint=` included.
    #[must_use]
    pub fn get_options(&self) -> Option<&str> {
        self.options.as_ref().map(|(options, _)| options.as_str()).filter(|options| !options.trim().is_empty())
    }

    /// Returns what carries the statements, as it was set; [`Config::resolve_transport`] says what that comes to.
    #[must_use]
    pub fn get_transport(&self) -> Transport {
        self.transport
    }

    /// Returns when clients of a bridge learn a statement's columns, where that was set.
    #[must_use]
    pub fn get_describe(&self) -> Option<Describe> {
        self.describe
    }

    /// Returns whose endpoint it is, as given or else detected from the host.
    #[must_use]
    pub fn get_provider(&self) -> Provider {
        self.provider.unwrap_or_else(|| self.host.as_ref().map_or(Provider::Other, |(host, _)| Provider::of_host(host)))
    }

    /// Returns which authentication a server may ask for.
    #[must_use]
    pub fn get_require_auth(&self) -> RequireAuth {
        self.require_auth.unwrap_or_else(|| self.get_provider().require_auth())
    }

    /// Returns how long opening a connection may take.
    #[must_use]
    pub fn get_connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Returns how long a statement may take; `None` is without a limit.
    #[must_use]
    pub fn get_request_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }

    /// Returns the largest request, in bytes.
    #[must_use]
    pub fn get_max_request_size(&self) -> usize {
        self.max_request_size
    }

    /// Returns the largest response, in bytes.
    #[must_use]
    pub fn get_max_response_size(&self) -> usize {
        self.max_response_size
    }

    /// Returns the addresses to connect to; none means that DNS is asked.
    #[must_use]
    pub fn get_addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the certificates, in DER, that are trusted instead of the platform's; none means the platform's.
    #[must_use]
    pub fn get_root_certificates(&self) -> &[CertificateDer<'static>] {
        &self.root_certificates
    }

    /// Returns whether the server is a pooler in transaction mode, as PgBouncer is: sessions' settings and named statements
    /// do not last, and some startup parameters are refused.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::Config;
    ///
    /// let config: Config = "postgresql://role.branch:pscale_pw_X@XXXX.pg.psdb.cloud:6432/postgres".parse()?;
    /// assert!(config.is_pooled());
    /// assert!(!config.port(5432).is_pooled());
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.pooled.unwrap_or_else(|| match self.get_provider() {
            Provider::Neon => self.host.as_ref().is_some_and(|(host, _)| neon::is_pooler(host)),
            Provider::PlanetScale | Provider::Other => self.get_port() == 6432,
        })
    }

    /// Returns whether the password may be sent right behind the startup message, before the server has asked.
    ///
    /// So it is where the server is known to ask for a cleartext password: at Neon's own endpoints, and at another
    /// [`ws_url`](Config::ws_url) where the [provider](Config::provider) was given by name.
    #[must_use]
    pub fn pipelines_password(&self) -> bool {
        let elsewhere = || {
            self.ws_url.as_ref().is_some_and(|template| {
                let host = self.host.as_ref().map_or("", |(host, _)| host);
                let url = template.fill(host, self.get_port()).ok();
                url.as_ref().and_then(url::Url::host_str).map(Provider::of_host) != Some(Provider::Neon)
            })
        };
        self.get_provider() == Provider::Neon
            && self.get_require_auth().allows_password()
            && (self.provider.is_some() || !elsewhere())
    }

    /// Returns whether a value was given for a parameter, by the URL, the environment or [`Config::param`], and is not a default.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::Config;
    ///
    /// let config: Config = "postgresql://app@db.example/app".parse()?;
    /// assert!(config.is_given("host") && !config.is_given("port"));
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.given.contains(name)
    }

    /// Returns what became of each parameter of the URL and the environment, and of those given to [`Config::param`].
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::{Config, config::Fate};
    ///
    /// let config: Config = "postgresql://app@db.example/app?sslmode=require&channel_binding=require".parse()?;
    /// let [sslmode, channel_binding] = &config.parameters()[..] else { unreachable!() };
    /// assert_eq!((sslmode.name.as_str(), &sslmode.fate), ("sslmode", &Fate::Applied));
    /// assert!(matches!(channel_binding.fate, Fate::Stripped(reason) if reason.contains("TLS ends at the endpoint")));
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    #[must_use]
    pub fn parameters(&self) -> Vec<ParameterReport> {
        self.parameters.clone()
    }

    /// Returns the template of an endpoint that was given explicitly.
    pub(super) fn template(&self, transport: Transport) -> Option<&Template> {
        match transport {
            Transport::Http => self.http_url.as_ref(),
            Transport::WebSocket => self.ws_url.as_ref(),
            Transport::Auto => None,
        }
    }
}

fn without_nul<'a>(key: &str, value: &'a str) -> Result<&'a str> {
    if value.contains('\0') {
        return Err(Error::config(format!("the setting `{key}` holds a NUL, which Postgres cannot take: remove it")));
    }
    Ok(value)
}
