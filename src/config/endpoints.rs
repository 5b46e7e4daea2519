use url::Url;

use super::{
    Config, Provider, Transport,
    host::{bracketed, is_loopback},
    neon,
};
use crate::error::{Error, Result};

/// Where the endpoints are.
impl Config {
    /// Returns where SQL over HTTP is served, for a password: the template filled, the provider's rule applied, plain `http:`
    /// checked.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: there is no host or no endpoint to be known from it, the template is wrong, the URL is plain and
    /// may not be, or the options select another endpoint.
    pub fn endpoint_http(&self) -> Result<Url> {
        self.endpoint(Transport::Http, "api")
    }

    /// Returns where SQL over HTTP is served for a bearer token: Neon has a host of its own for it, others have not.
    ///
    /// # Errors
    ///
    /// As [`Config::endpoint_http`].
    pub fn endpoint_http_bearer(&self) -> Result<Url> {
        self.endpoint(Transport::Http, "apiauth")
    }

    /// Returns where Postgres is served over WebSocket, `?address=` included where the provider wants it.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: there is no host or no endpoint to be known from it, the template is wrong, or the URL is plain
    /// and may not be.
    pub fn endpoint_ws(&self) -> Result<Url> {
        self.endpoint(Transport::WebSocket, "")
    }

    /// Returns what carries the statements, where [`Transport::Auto`] is what the endpoints leave of it: itself where both are known,
    /// the other one's where only one is, and HTTP for a bearer token, which logs in nowhere else.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`]: neither endpoint is known, or one that was given is wrong.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::{Config, Transport};
    ///
    /// let config: Config = "postgresql://app@localhost/app?transport=auto&http_url=http://localhost:4444/sql".parse()?;
    /// assert_eq!(config.resolve_transport()?, Transport::Http);
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    pub fn resolve_transport(&self) -> Result<Transport> {
        if self.get_transport() != Transport::Auto {
            return Ok(self.get_transport());
        }
        match (self.endpoint_http(), self.endpoint_ws()) {
            (Ok(_), Ok(_)) if self.has_bearer_token() => Ok(Transport::Http),
            (Ok(_), Ok(_)) => Ok(Transport::Auto),
            (Ok(_), Err(_)) if self.template(Transport::WebSocket).is_none() => Ok(Transport::Http),
            (Err(_), Ok(_)) if self.template(Transport::Http).is_none() => Ok(Transport::WebSocket),
            (Err(_), Err(_)) if self.is_without_endpoint() => {
                Err(unknown_endpoint(self.get_host()?, "http_url and ws_url (one of them will do)"))
            }
            (Ok(_), Err(error)) | (Err(error), _) => Err(error),
        }
    }

    /// Whether the host is one that has no endpoint of its own, and none was given.
    fn is_without_endpoint(&self) -> bool {
        let is_loopback = |url: &Url| url.host().is_some_and(|host| is_loopback(&host));
        let url = self.get_host().ok().and_then(|host| Url::parse(&format!("https://{}", bracketed(host))).ok());
        let is_given = |transport| self.template(transport).is_some();
        self.get_provider() == Provider::Other
            && url.as_ref().is_some_and(is_loopback)
            && !is_given(Transport::Http)
            && !is_given(Transport::WebSocket)
    }

    fn endpoint(&self, transport: Transport, neon_label: &str) -> Result<Url> {
        let host = self.get_host()?;
        let port = self.get_port();
        self.check_options()?;
        if let Some(template) = self.template(transport) {
            let url = template.fill(host, port)?;
            self.check_scheme(&url).map_err(|message| template.error(message))?;
            return Ok(url);
        }
        let in_url = bracketed(host);
        let text = match (transport, self.get_provider()) {
            (Transport::WebSocket, Provider::Neon) => format!("wss://{in_url}/v2"),
            (Transport::WebSocket, _) => format!("wss://{in_url}/v2?address={in_url}:{port}"),
            (_, Provider::Neon) => format!("https://{}/sql", self.neon_api_host(host, neon_label)?),
            _ => format!("https://{in_url}/sql"),
        };
        let url = Url::parse(&text)
            .map_err(|error| Error::config(format!("no endpoint's URL can be made of the host {host:?}: {error}")))?;
        if self.get_provider() == Provider::Other && url.host().is_some_and(|host| is_loopback(&host)) {
            let (key, other, other_key) = match transport {
                Transport::WebSocket => ("ws_url", Transport::Http, "http_url"),
                Transport::Http | Transport::Auto => ("http_url", Transport::WebSocket, "ws_url"),
            };
            if self.template(other).is_some() {
                return Err(Error::config(format!(
                    "only {other_key} is set, and the transport is {transport}: add transport={other}, or set {key}"
                )));
            }
            return Err(unknown_endpoint(host, key));
        }
        Ok(url)
    }

    fn neon_api_host(&self, host: &str, label: &str) -> Result<String> {
        neon::with_first_label(&neon::endpoint_host(host, self.endpoint_option()), label).ok_or_else(|| {
            Error::config(format!(
                "Neon's HTTP endpoint follows from a host such as ep-….<region>.aws.neon.tech, and not from {host}: set \
                 http_url"
            ))
        })
    }

    /// Tells what is wrong with a plain endpoint, if anything is.
    fn check_scheme(&self, url: &Url) -> Result<(), String> {
        let plain = matches!(url.scheme(), "http" | "ws");
        let secure = if url.scheme() == "http" { "https" } else { "wss" };
        if plain && self.require_tls {
            return Err(format!(
                "the endpoint's URL is plain {}:, and sslmode=require or stricter insists on TLS: use {secure}:, or drop \
                 sslmode",
                url.scheme()
            ));
        }
        if plain && !self.allow_plaintext && !url.host().is_some_and(|host| is_loopback(&host)) {
            return Err(format!(
                "plain {}: would show everything, the password included, on the way to {}: use {secure}:, or say \
                 allow_plaintext=true",
                url.scheme(),
                url.host_str().unwrap_or_default()
            ));
        }
        Ok(())
    }
}

fn unknown_endpoint(host: &str, keys: &str) -> Error {
    Error::config(format!(
        "no endpoint is known for {host}, where Postgres itself speaks neither HTTP nor WebSocket: run `pgferry gateway` in front of it \
         and use the URL that it prints, or set {keys}"
    ))
}
