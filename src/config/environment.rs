use std::{env, ffi::OsString};

use super::{Config, Fate, source::Source};
use crate::error::{Error, Result};

/// pgferry's own, read always.
const OURS: &[(&str, &str)] = &[
    ("PGFERRY_TRANSPORT", "transport"),
    ("PGFERRY_DESCRIBE", "describe"),
    ("PGFERRY_PROVIDER", "provider"),
    ("PGFERRY_HTTP_URL", "http_url"),
    ("PGFERRY_WS_URL", "ws_url"),
    ("PGFERRY_ALLOW_PLAINTEXT", "allow_plaintext"),
    ("PGFERRY_REQUEST_TIMEOUT", "request_timeout"),
];

/// libpq's, that say how to connect.
const LIBPQ: &[(&str, &str)] = &[
    ("PGAPPNAME", "application_name"),
    ("PGOPTIONS", "options"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGREQUIREAUTH", "require_auth"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
];

/// libpq's, that say to what.
const LIBPQ_DATABASE: &[(&str, &str)] =
    &[("PGHOST", "host"), ("PGPORT", "port"), ("PGUSER", "user"), ("PGPASSWORD", "password"), ("PGDATABASE", "dbname")];

/// PlanetScale's.
const DATABASE: &[(&str, &str)] = &[
    ("DATABASE_HOST", "host"),
    ("DATABASE_PORT", "port"),
    ("DATABASE_USERNAME", "user"),
    ("DATABASE_PASSWORD", "password"),
    ("DATABASE_NAME", "dbname"),
];

impl Config {
    /// Reads the environment: `DATABASE_URL`, or the single variables; [`Config`] lists them and says which wins.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`], beginning with the variable's name: it is malformed or not UTF-8. And where no variable names a
    /// database.
    ///
    /// # Example
    ///
    /// ```no_run
    /// let config = pgferry::Config::from_env()?;
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| env::var_os(name))
    }

    /// Reads a URL from code, and what it leaves out from the environment, as if it stood in `DATABASE_URL` (which is not
    /// read).
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: the URL or a variable is malformed.
    ///
    /// # Example
    ///
    /// ```no_run
    /// // PGFERRY_HTTP_URL and the others are honoured; `parse` would not read them.
    /// let config = pgferry::Config::from_env_with_url("postgresql://app@db.example/app")?;
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    pub fn from_env_with_url(url: &str) -> Result<Self> {
        Self::from_lookup_with_url(url, |name| env::var_os(name))
    }

    /// Reads an environment that is whatever `lookup` answers, as [`Config::from_env`] reads the process's.
    ///
    /// # Errors
    ///
    /// As [`Config::from_env`].
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::Config;
    ///
    /// let config = Config::from_lookup(|name| match name {
    ///     "PGHOST" => Some("db.example".into()),
    ///     "PGUSER" => Some("app".into()),
    ///     _ => None,
    /// })?;
    /// assert_eq!(config.get_user()?, "app");
    ///
    /// let error = Config::from_lookup(|name| (name == "PGPORT").then(|| "many".into())).unwrap_err();
    /// assert_eq!(error.to_string(), "PGPORT: it is not a number from 1 to 65535");
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let config = match text(&lookup, "DATABASE_URL")? {
            Some(url) => Self::new().url_from(Some("DATABASE_URL"), &url)?,
            None => Self::new(),
        };
        let config = config.filled_from(&lookup, "DATABASE_URL gives it")?;
        if config.host.is_none() {
            return Err(Error::config(
                "the environment names no database: set DATABASE_URL, or PGHOST PGPORT PGDATABASE PGUSER PGPASSWORD, or \
                 DATABASE_HOST DATABASE_PORT DATABASE_NAME DATABASE_USERNAME DATABASE_PASSWORD",
            ));
        }
        Ok(config)
    }

    /// Reads a URL, and what it leaves out from an environment that is whatever `lookup` answers, as
    /// [`Config::from_env_with_url`] reads the process's.
    ///
    /// # Errors
    ///
    /// As [`Config::from_env_with_url`].
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::{Config, Transport};
    ///
    /// let url = "postgresql://app@db.example/app";
    /// let config = Config::from_lookup_with_url(url, |name| (name == "PGFERRY_TRANSPORT").then(|| "http".into()))?;
    /// assert_eq!(config.get_transport(), Transport::Http);
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    pub fn from_lookup_with_url(url: &str, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        Self::new().url_from(None, url)?.filled_from(&lookup, "the URL gives it")
    }

    /// Takes from the environment what is not given yet.
    fn filled_from(self, lookup: &dyn Fn(&str) -> Option<OsString>, given: &'static str) -> Result<Self> {
        let planet_scale =
            self.host.is_none() && text(lookup, "PGHOST")?.is_none() && text(lookup, "DATABASE_HOST")?.is_some();
        let database = if planet_scale { DATABASE } else { LIBPQ_DATABASE };
        let mut config = self;
        for &(variable, key) in [OURS, LIBPQ, database].into_iter().flatten() {
            let Some(value) = text(lookup, variable)? else { continue };
            let source = Source::Variable(variable);
            if config.given.contains(key) {
                config.report(key, &value, &source, Fate::Stripped(given));
            } else {
                config = config.param_from(source, key, &value)?;
            }
        }
        Ok(config)
    }
}

/// Returns a variable's value, unless it is missing or empty.
fn text(lookup: &dyn Fn(&str) -> Option<OsString>, variable: &'static str) -> Result<Option<String>> {
    let value = lookup(variable).map(OsString::into_string).transpose();
    let value = value.map_err(|_| Error::config(format!("{variable}: its value is not valid UTF-8")))?;
    Ok(value.filter(|value| !value.is_empty()))
}
