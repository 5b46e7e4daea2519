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

    /// Checks a template with a host of its own in place of the real one.
    pub(super) fn check(&self) -> Result<()> {
        self.fill("host.example", 5432).map(drop)
    }

    /// Returns the URL for a host (an IPv6 address gets its brackets) and a port.
    pub(super) fn fill(&self, host: &str, port: u16) -> Result<Url> {
        let filled = self.text.replace("{host}", &host::bracketed(host)).replace("{port}", &port.to_string());
        if filled.contains(['{', '}']) {
            return Err(self.error("only {host} and {port} may stand in braces"));
        }
        let schemes = if self.key == "http_url" { ["https", "http"] } else { ["wss", "ws"] };
        let url = Url::parse(&filled).map_err(|error| self.error(format!("it is not a URL: {error}")))?;
        if !schemes.contains(&url.scheme()) {
            return Err(self.error(format!("the URL must begin with {}:// or {}://", schemes[0], schemes[1])));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.error("the endpoint's URL holds a user or a password: they belong in the database's URL"));
        }
        if url.fragment().is_some() {
            return Err(self.error("the endpoint's URL holds a `#`: write it as %23"));
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
