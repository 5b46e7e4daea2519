//! Who may talk to the gateway: a page in a browser must not be able to reach a developer's database.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderValue, Request, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ALLOW, HOST, ORIGIN, VARY,
    },
};

use crate::sql::Fault;

/// What a page may send.
const CORS_HEADERS: &str = "Authorization, Content-Type, Neon-Connection-String, Neon-Raw-Text-Output, Neon-Array-Mode, \
    Neon-Pool-Opt-In, Neon-Batch-Isolation-Level, Neon-Batch-Read-Only, Neon-Batch-Deferrable";

/// How long a browser may remember the answer to its question, in seconds: a day.
const CORS_MAX_AGE: &str = "86400";

/// The origins whose pages are let in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    any: bool,
    named: Vec<String>,
}

impl Origins {
    pub(crate) fn allow(&mut self, origin: &str) {
        match origin {
            "*" => self.any = true,
            _ => self.named.push(origin.trim_end_matches('/').to_ascii_lowercase()),
        }
    }

    /// Returns whether every page is let in.
    pub(crate) fn any(&self) -> bool {
        self.any
    }

    /// Refuses a request that a browser sent for a page of another origin. Requests without an origin come from no browser,
    /// or from one that asks for nothing but a page.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let mut origins = headers.get_all(ORIGIN).iter();
        if self.any || origins.all(|origin| self.has(origin)) {
            return Ok(());
        }
        Err(Fault::new(
            StatusCode::FORBIDDEN,
            "this page's origin is not allowed here: start the gateway with --allow-origin and the origin",
        ))
    }

    /// Adds what tells a browser that the page may read the response.
    pub(crate) fn add_cors(&self, request: Option<&HeaderValue>, response: &mut HeaderMap) {
        if self.any {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return;
        }
        if self.named.is_empty() {
            return;
        }
        response.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = request.filter(|origin| self.has(origin)) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Neon-Request-Id"));
        }
    }

    /// Adds the answer to a browser's question whether the page may send its request.
    pub(crate) fn add_preflight(&self, response: &mut HeaderMap) {
        response.insert(ALLOW, HeaderValue::from_static("OPTIONS, POST"));
        if response.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            response.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(CORS_HEADERS));
            response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(CORS_MAX_AGE));
        }
    }

    /// `null`, the origin of sandboxed pages and files, is one that nobody can name.
    fn has(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        origin != "null" && self.named.iter().any(|named| named.eq_ignore_ascii_case(origin))
    }
}

/// The names by which the gateway may be called. A page can make its own name resolve to 127.0.0.1 and is then of the same
/// origin; only the Host header tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    named: Vec<String>,
}

impl Hosts {
    pub(crate) fn allow(&mut self, host: &str) {
        self.named.push(host.to_ascii_lowercase());
    }

    /// Refuses a request that calls the gateway by a foreign name.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), Fault> {
        // HTTP/2 has the name in its address instead of a header.
        let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let names = [header, request.uri().authority().map(|authority| authority.as_str())];
        let mut names = names.into_iter().flatten().peekable();
        if names.peek().is_some() && names.all(|name| self.has(without_port(name))) {
            return Ok(());
        }
        Err(Fault::new(
            StatusCode::FORBIDDEN,
            "the gateway does not go by this Host name: call it localhost, or start it with --allow-host and the name",
        ))
    }

    fn has(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let is_loopback = |host: &str| host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        host == "localhost"
            || host.ends_with(".localhost")
            || is_loopback(host.trim_start_matches('[').trim_end_matches(']'))
            || self.named.contains(&host)
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: http::HeaderName, value: &'static str) -> Request<()> {
        let mut request = Request::new(());
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        request
    }

    #[test]
    fn foreign_hosts_are_refused() {
        let mut hosts = Hosts::default();
        hosts.allow("DB.internal");
        for host in [
            "localhost",
            "LOCALHOST:4444",
            "api.localhost:1",
            "127.0.0.1:4444",
            "127.1.2.3",
            "[::1]:4444",
            "db.internal:80",
        ] {
            assert!(hosts.check(&with(HOST, host)).is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:4444",
            "10.0.0.1",
            "evillocalhost",
            "[::2]",
            "",
            "127.0.0.1.evil.example",
        ] {
            assert!(hosts.check(&with(HOST, host)).is_err(), "{host}");
        }
        assert!(hosts.check(&Request::new(())).is_err(), "no name at all");
    }

    #[test]
    fn foreign_origins_are_refused() {
        let mut origins = Origins::default();
        assert!(origins.check(with(HOST, "localhost").headers()).is_ok(), "no browser");
        for origin in ["https://evil.example", "null", "http://localhost:3000"] {
            assert!(origins.check(with(ORIGIN, origin).headers()).is_err(), "{origin}");
        }
        origins.allow("http://localhost:3000/");
        assert!(origins.check(with(ORIGIN, "http://localhost:3000").headers()).is_ok());
        for origin in ["http://localhost:3001", "https://localhost:3000", "null", "http://localhost:3000.evil.example"]
        {
            assert!(origins.check(with(ORIGIN, origin).headers()).is_err(), "{origin}");
        }
        origins.allow("*");
        assert!(origins.check(with(ORIGIN, "null").headers()).is_ok());
    }

    #[test]
    fn cors_is_for_the_allowed() {
        let origin = HeaderValue::from_static("http://localhost:3000");
        let allowed = |origins: &Origins| {
            let mut headers = HeaderMap::new();
            origins.add_cors(Some(&origin), &mut headers);
            headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
        };
        let mut origins = Origins::default();
        assert_eq!(allowed(&origins), None);
        origins.allow("https://other.example");
        assert_eq!(allowed(&origins), None);
        origins.allow("http://localhost:3000");
        assert_eq!(allowed(&origins).as_ref(), Some(&origin));
        origins.allow("*");
        assert_eq!(allowed(&origins), Some(HeaderValue::from_static("*")));
    }
}
