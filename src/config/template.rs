use url::Url;

use super::{host, source::Source};
use crate::error::{Error, Result};

/// A URL in which `{host}` and `{port}` stand for the database's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    key: &'static str,
    source: Source,
}

impl Template {
    /// Takes a template for the setting `key`; it is checked when it is [filled](Self::fill).
    pub(super) fn new(key: &'static str, text: String, source: Source) -> Self {
        Self { text, key, source }
    }

    /// Checks a template with a host of its own in place of the real one; the error does not name the setting yet.
    pub(super) fn check(&self) -> Result<()> {
        self.parse("host.example", 5432).map(drop).map_err(Error::config)
    }

    /// Returns the URL for a host (an IPv6 address gets its brackets) and a port.
    pub(super) fn fill(&self, host: &str, port: u16) -> Result<Url> {
        self.parse(host, port).map_err(|message| self.error(message))
    }

    fn parse(&self, host: &str, port: u16) -> Result<Url, String> {
        let filled = self.text.replace("{host}", &host::bracketed(host)).replace("{port}", &port.to_string());
        if filled.contains(['{', '}']) {
            return Err("only {host} and {port} may stand in braces".to_owned());
        }
        let (secure, plain) = if self.key == "http_url" { ("https", "http") } else { ("wss", "ws") };
        let url = Url::parse(&filled).map_err(|error| format!("it is not a URL: {error}"))?;
        if url.scheme() != secure && url.scheme() != plain {
            return Err(format!("the URL must begin with {secure}:// or {plain}://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the endpoint's URL holds a user or a password: they belong in the database's URL".to_owned());
        }
        if url.fragment().is_some() {
            return Err("the endpoint's URL holds a `#`: write it as %23".to_owned());
        }
        Ok(url)
    }

    /// Returns an error that names the setting and where it came from.
    pub(super) fn error(&self, message: impl std::fmt::Display) -> Error {
        self.source.error(self.key, message)
    }

    /// Returns the template for people to read, without a query that may hold a token.
    pub(super) fn shown(&self) -> String {
        shown(&self.text)
    }
}

/// Returns a URL for people to read. Only `address` is known to be no secret among an endpoint's parameters; a user and a
/// password are refused later, and not shown until then.
pub(super) fn shown(text: &str) -> String {
    let (base, query) = text.split_once('?').map_or((text, None), |(base, query)| (base, Some(query)));
    let base = match (base.find("://"), base.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}…{}", &base[..scheme + 3], &base[at..]),
        (None, Some(_)) => "…".to_owned(),
        _ => base.to_owned(),
    };
    match query {
        None => base,
        Some(query) if query.starts_with("address=") && !query.contains(['&', '#']) => format!("{base}?{query}"),
        Some(_) => format!("{base}?…"),
    }
}
