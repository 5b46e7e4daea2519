use std::time::Duration;

use super::{Config, Fate, ParameterReport, host, setters::LONGEST, source::Source, template};
use crate::error::{Error, Result};

/// Every key that `param` takes, by what is done with it.
const APPLIED: &[&str] = &[
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "transport",
    "describe",
    "provider",
    "http_url",
    "ws_url",
    "allow_plaintext",
    "require_auth",
    "connect_timeout",
    "request_timeout",
    "max_request_size",
    "max_response_size",
    "application_name",
    "fallback_application_name",
    "options",
    "sslmode",
    "sslrootcert",
    "sslnegotiation",
    "channel_binding",
    "target_session_attrs",
    "load_balance_hosts",
    "gssencmode",
    "client_encoding",
    "replication",
    "sslcompression",
    "sslsni",
    "ssl_min_protocol_version",
    "pgbouncer",
    "schema",
];

/// Those left out whatever their value, and why nothing is lost.
const STRIPPED: &[(&str, &str)] = &[
    ("keepalives", KEEPALIVE),
    ("keepalives_idle", KEEPALIVE),
    ("keepalives_interval", KEEPALIVE),
    ("keepalives_count", KEEPALIVE),
    ("tcp_user_timeout", KEEPALIVE),
    ("connection_limit", POOL),
    ("pool_timeout", POOL),
    ("statement-cache-capacity", POOL),
    ("statement_cache_size", POOL),
];

const KEEPALIVE: &str = "the connection to the endpoint has keep-alive settings of its own";
const POOL: &str = "it is for another client's pool or cache: set it on the pool or connection options in code";

/// Those refused whatever their value, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("hostaddr", "the connection goes to the endpoint, not to Postgres's own address: set Config::addresses in code"),
    ("service", "service files are not read: write the values out"),
    ("servicefile", "service files are not read: write the values out"),
    ("passfile", "password files are not read: give the password, or a credential provider"),
    ("sslcert", CLIENT_CERTIFICATE),
    ("sslkey", CLIENT_CERTIFICATE),
    ("sslpassword", CLIENT_CERTIFICATE),
    ("sslcertmode", CLIENT_CERTIFICATE),
    ("sslcrl", "revocation lists are not read: remove it"),
    ("sslcrldir", "revocation lists are not read: remove it"),
    ("ssl_max_protocol_version", "the endpoint and pgferry agree on TLS 1.3 or 1.2: remove it"),
    ("requirepeer", "it is about Unix sockets: remove it"),
    ("krbsrvname", "GSSAPI does not pass through HTTP or WebSocket: remove it"),
    ("gsslib", "GSSAPI does not pass through HTTP or WebSocket: remove it"),
    ("gssdelegation", "GSSAPI does not pass through HTTP or WebSocket: remove it"),
    ("socket_timeout", "it is another client's: use request_timeout"),
    ("search_path", SESSION),
    ("statement_timeout", SESSION),
    ("lock_timeout", SESSION),
    ("idle_in_transaction_session_timeout", SESSION),
    ("timezone", SESSION),
    ("TimeZone", SESSION),
    ("datestyle", SESSION),
    ("DateStyle", SESSION),
];

const CLIENT_CERTIFICATE: &str = "a client certificate cannot reach Postgres through HTTP or WebSocket: use a password";
const SESSION: &str = "a session's settings go into options (options=-c%20name%3Dvalue, or options[name]=value), or \
                       into ALTER ROLE … SET";

/// Other clients' spellings.
const ALIASES: &[(&str, &str)] = &[
    ("username", "user"),
    ("database", "dbname"),
    ("ssl-mode", "sslmode"),
    ("ssl-root-cert", "sslrootcert"),
    ("ssl-ca", "sslrootcert"),
    ("ssl-cert", "sslcert"),
    ("ssl-key", "sslkey"),
];

impl Config {
    /// Sets a parameter by its name in a URL, as URLs and the environment do themselves; [`Config`] lists them.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`](crate::Error::is_config): the parameter is unknown, its value is malformed, or it asks for what
    /// cannot be had here; the message says what to do.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::{Config, Transport};
    ///
    /// let config = Config::new().param("transport", "http")?;
    /// assert_eq!(config.get_transport(), Transport::Http);
    ///
    /// let error = config.param("trnsport", "http").unwrap_err();
    /// assert!(error.to_string().starts_with("the setting `trnsport`: pgferry does not know it; it knows host, port, "));
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    pub fn param(self, key: &str, value: &str) -> Result<Self> {
        self.param_from(Source::Code, key, value)
    }

    /// As [`Config::param`], with errors that name where the value came from.
    pub(super) fn param_from(self, source: Source, key: &str, value: &str) -> Result<Self> {
        if value.contains('\0') {
            return Err(source.error(key, "it holds a NUL (%00 in a URL), which Postgres cannot take: remove it"));
        }
        if let Some(name) = key.strip_prefix("options[").and_then(|name| name.strip_suffix(']')) {
            return self.one_option(source, key, name, value);
        }
        if let Some((_, reason)) = REFUSED.iter().find(|(known, _)| *known == unaliased(key)) {
            return Err(source.error(key, reason));
        }
        let Some(name) = canonical(key) else {
            let known: Vec<_> = APPLIED.iter().copied().chain(STRIPPED.iter().map(|(name, _)| *name)).collect();
            return Err(source.error(key, format!("pgferry does not know it; it knows {}", known.join(", "))));
        };
        let (mut config, fate) = match STRIPPED.iter().find(|(known, _)| *known == name) {
            Some((_, reason)) => (self, Fate::Stripped(reason)),
            None => self.apply(&source, name, value).map_err(|error| source.wrap(name, error))?,
        };
        config.given.insert(name);
        if !matches!(source, Source::UrlPart(_)) {
            config.report(name, value, &source, fate);
        }
        Ok(config)
    }

    /// Adds to what became of the parameters.
    pub(super) fn report(&mut self, name: &str, value: &str, source: &Source, fate: Fate) {
        let value = match name {
            "password" => "…".to_owned(),
            "http_url" | "ws_url" => template::shown(value),
            _ => value.to_owned(),
        };
        self.parameters.push(ParameterReport { name: name.to_owned(), value, origin: source.to_string(), fate });
    }

    fn apply(self, source: &Source, name: &str, value: &str) -> Result<(Self, Fate)> {
        let stripped = |config: Self, reason: &'static str| Ok((config, Fate::Stripped(reason)));
        let config = match (name, value) {
            ("host", _) => {
                host::checked(value).map_err(Error::config)?;
                self.host_from(value.to_owned(), source.clone())
            }
            ("port", _) => self.port(port(value)?),
            ("user", _) => self.user(value),
            ("password", "") => self,
            ("password", _) => self.password(value),
            ("dbname", _) => self.dbname(value),
            ("transport", _) => self.transport(value.parse()?),
            ("describe", _) => self.describe(value.parse()?),
            ("provider", _) => self.provider(value.parse()?),
            ("http_url" | "ws_url", _) => return Ok((self.endpoint_param(source, name, value)?, Fate::Applied)),
            ("allow_plaintext", _) => self.allow_plaintext(boolean(value)?),
            ("require_auth", _) => self.require_auth(value.parse()?),
            ("connect_timeout", _) => self.connect_timeout(seconds(value)?.unwrap_or(LONGEST)),
            ("request_timeout", _) => self.request_timeout(seconds(value)?),
            ("max_request_size", _) => self.max_request_size(bytes(value)?),
            ("max_response_size", _) => self.max_response_size(bytes(value)?),
            ("application_name", _) => self.application_name(value),
            ("fallback_application_name", _) if self.given.contains("application_name") => {
                return stripped(self, "application_name is given");
            }
            ("fallback_application_name", _) => self.application_name(value),
            ("options", _) => self.options_from(value.to_owned(), source.clone()),
            ("sslmode", "disable" | "allow" | "prefer") => {
                return stripped(self, "the endpoint's URL decides about TLS, and https: and wss: are always verified");
            }
            ("sslmode", "require" | "verify-ca" | "verify-full") => self.require_tls(true),
            ("sslrootcert", "system") => self.root_certificates([]),
            ("sslrootcert", _) => self.root_certificates_file(value)?,
            ("sslnegotiation", "direct" | "postgres") => {
                return stripped(self, "TLS with the endpoint always starts directly");
            }
            ("channel_binding", "require" | "prefer") => {
                return stripped(
                    self,
                    "TLS ends at the endpoint, so there is no channel to Postgres to bind to; the endpoint's certificate \
                     is verified instead",
                );
            }
            ("target_session_attrs" | "load_balance_hosts" | "gssencmode", _) => return self.apply_choice(name, value),
            // What these ask for is how it is anyway.
            ("channel_binding", "disable")
            | ("replication", "0" | "off" | "false" | "no")
            | ("sslcompression", "0")
            | ("sslsni", "1")
            | ("ssl_min_protocol_version", "TLSv1" | "TLSv1.1" | "TLSv1.2") => self,
            ("client_encoding", _) if ["utf8", "utf-8", "unicode", "auto"].contains(&&*value.to_ascii_lowercase()) => {
                self
            }
            ("client_encoding", _) => return Err(Error::config("pgferry speaks UTF8 only: remove it")),
            ("pgbouncer", _) => {
                let pooled = boolean(value)?;
                self.pooled(Some(pooled))
            }
            ("schema", "public") => return stripped(self, "public is on the search path by default"),
            ("schema", _) => {
                return Err(Error::config(
                    "a search path goes into options (options[search_path]=…), or into ALTER ROLE … SET",
                ));
            }
            ("sslcompression", _) => return Err(Error::config("TLS is never compressed: remove it")),
            ("sslsni", _) => {
                return Err(Error::config("the endpoint is found by SNI, which is always sent: remove it"));
            }
            ("ssl_min_protocol_version", _) => {
                return Err(Error::config("TLS 1.3 or 1.2 is used as the endpoint has it: remove it"));
            }
            ("replication", _) => {
                return Err(Error::config("replication is not carried: connect to Postgres directly, over TCP"));
            }
            _ => return Err(choice(name, value)),
        };
        Ok((config, Fate::Applied))
    }

    /// Applies what selects among hosts or encryptions, of which there is one here.
    fn apply_choice(self, name: &str, value: &str) -> Result<(Self, Fate)> {
        let fate = match (name, value) {
            ("target_session_attrs", "any") | ("load_balance_hosts", "disable") | ("gssencmode", "disable") => {
                Fate::Applied
            }
            ("target_session_attrs", "read-write" | "primary" | "prefer-standby") => {
                Fate::Stripped("there is one host; a server that only reads says so itself at the first write")
            }
            ("target_session_attrs", "read-only" | "standby") => {
                return Err(Error::config(
                    "what kind of server the endpoint leads to is not checked: name the replica's own host, and remove it",
                ));
            }
            ("load_balance_hosts", "random") => Fate::Stripped("there is one host"),
            ("gssencmode", "prefer") => Fate::Stripped("GSSAPI does not pass through HTTP or WebSocket; TLS is used"),
            ("gssencmode", "require") => {
                return Err(Error::config("GSSAPI does not pass through HTTP or WebSocket: remove it"));
            }
            _ => return Err(choice(name, value)),
        };
        Ok((self, fate))
    }

    fn endpoint_param(self, source: &Source, name: &str, value: &str) -> Result<Self> {
        let (key, config): (_, fn(Self, template::Template) -> Self) =
            if name == "http_url" { ("http_url", Self::http_url_from) } else { ("ws_url", Self::ws_url_from) };
        let template = template::Template::new(key, value.to_owned(), source.clone());
        template.check()?;
        Ok(config(self, template))
    }

    /// Applies `options[name]=value`, sqlx's way to write one `-c name=value`.
    fn one_option(self, source: Source, key: &str, name: &str, value: &str) -> Result<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(source.error("options", "options[…] wants a setting's name in its brackets"));
        }
        // The manual, 34.1.2: white space within an option is written with a backslash before it, and so is a backslash.
        let mut options = self.get_options().map_or_else(String::new, |options| format!("{options} "));
        options.push_str(&format!("-c {name}="));
        for character in value.chars() {
            if character.is_ascii_whitespace() || character == '\\' {
                options.push('\\');
            }
            options.push(character);
        }
        let mut config = self.options_from(options, source.clone());
        config.given.insert("options");
        config.report(key, value, &source, Fate::Applied);
        Ok(config)
    }
}

/// Returns a key's own spelling, if it is known.
pub(super) fn canonical(key: &str) -> Option<&'static str> {
    let key = unaliased(key);
    APPLIED.iter().copied().chain(STRIPPED.iter().map(|(name, _)| *name)).find(|known| *known == key)
}

/// Whether the key is one that is applied, left out or refused by name.
pub(super) fn is_known(key: &str) -> bool {
    canonical(key).is_some() || key.starts_with("options[") || REFUSED.iter().any(|(known, _)| *known == unaliased(key))
}

fn unaliased(key: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == key).map_or(key, |(_, name)| name)
}

fn port(value: &str) -> Result<u16> {
    // Not shown: in a URL that went wrong it can be the password.
    match value.parse() {
        Ok(port) if port > 0 && value.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ if value.contains(',') => Err(Error::config("several ports are not supported: name one host and one port")),
        _ => Err(Error::config("it is not a number from 1 to 65535")),
    }
}

fn boolean(value: &str) -> Result<bool> {
    match value {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err(Error::config(format!("{value:?} is neither \"true\" nor \"false\""))),
    }
}

/// As in libpq, zero and less mean no limit.
fn seconds(value: &str) -> Result<Option<Duration>> {
    let seconds: i64 =
        value.trim().parse().map_err(|_| Error::config(format!("{value:?} is not a whole number of seconds")))?;
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

fn bytes(value: &str) -> Result<usize> {
    value.parse().map_err(|_| Error::config(format!("{value:?} is not a number of bytes")))
}

fn choice(name: &str, value: &str) -> Error {
    let choices = match name {
        "sslmode" => "disable, allow, prefer, require, verify-ca or verify-full",
        "sslnegotiation" => "postgres or direct",
        "channel_binding" => "disable, prefer or require",
        "target_session_attrs" => "any, read-write, read-only, primary, standby or prefer-standby",
        "load_balance_hosts" => "disable or random",
        "gssencmode" => "disable, prefer or require",
        _ => "none that pgferry knows",
    };
    Error::config(format!("{value:?} is not one of its values: {choices}"))
}
