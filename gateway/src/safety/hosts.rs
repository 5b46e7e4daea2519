use std::net::IpAddr;

use http::{Request, StatusCode, header::HOST};

use crate::sql::Fault;

/// The names by which the gateway may be called. A page can make its own name resolve to 127.0.0.1 and is then of the same
/// origin; only the Host header tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    named: Vec<String>,
}

impl Hosts {
    /// Lets this name in; a port is of no account.
    pub(crate) fn allow(&mut self, host: &str) {
        self.named.push(without_port(host).to_ascii_lowercase());
    }

    /// Refuses a request that calls the gateway by a foreign name.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), Fault> {
        let mut names = names(request).peekable();
        let known = names.peek().is_some() && names.all(|name| name.is_some_and(|name| self.has(without_port(name))));
        if known { Ok(()) } else { Err(foreign()) }
    }

    /// Does the same, but for one that has no name or an address instead: only a name can be made to resolve to another's machine.
    pub(crate) fn check_name<B>(&self, request: &Request<B>) -> Result<(), Fault> {
        let known = names(request)
            .all(|name| name.map(without_port).is_some_and(|name| self.has(name) || address(name).is_some()));
        if known { Ok(()) } else { Err(foreign()) }
    }

    fn has(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || address(&host).is_some_and(|ip| ip.is_loopback())
            || self.named.contains(&host)
    }
}

/// The names that a request calls the gateway by; `None` for one that is no text.
fn names<B>(request: &Request<B>) -> impl Iterator<Item = Option<&str>> {
    // HTTP/2 has the name in its address instead of a header. Where there are several, all must be known.
    let headers = request.headers().get_all(HOST).iter().map(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|authority| Some(authority.as_str()));
    headers.chain(authority)
}

fn foreign() -> Fault {
    Fault::new(
        StatusCode::FORBIDDEN,
        "the gateway does not go by this Host name: call it localhost, or start it with --allow-host and the name",
    )
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// A request for this target, with these Host headers.
    fn request(target: &str, hosts: &[&[u8]]) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = target.parse().unwrap_or_else(|error| panic!("{target}: {error}"));
        for host in hosts {
            let host = HeaderValue::from_bytes(host).unwrap_or_else(|error| panic!("{error}"));
            request.headers_mut().append(HOST, host);
        }
        request
    }

    fn hosts() -> Hosts {
        let mut hosts = Hosts::default();
        hosts.allow("DB.internal");
        hosts.allow("proxy.internal:8080");
        hosts
    }

    #[test]
    fn own_names_are_let_in() {
        for host in [
            "localhost",
            "LOCALHOST:4444",
            "localhost:",
            "api.localhost:1",
            "127.0.0.1:4444",
            "127.1.2.3",
            "[::1]:4444",
            "[::1]",
            "db.internal:80",
            "proxy.internal",
        ] {
            assert!(hosts().check(&request("/sql", &[host.as_bytes()])).is_ok(), "{host}");
        }
        assert!(hosts().check(&request("http://localhost:4444/sql", &[])).is_ok(), "HTTP/2 has no Host header");
    }

    #[test]
    fn foreign_names_are_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example:4444",
            "10.0.0.1",
            "0.0.0.0",
            "evillocalhost",
            "localhost.",
            "[::2]",
            "[::ffff:10.0.0.1]",
            "[fe80::1%25lo]",
            "[::1%25lo]:4444",
            "::1",
            "",
            ":4444",
            "127.0.0.1.evil.example",
            "localhost:4444.evil.example",
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost, evil.example",
            "localhost evil.example",
            "localhost/evil.example",
            "2130706433",
            "0x7f.1",
        ] {
            assert!(hosts().check(&request("/sql", &[host.as_bytes()])).is_err(), "{host}");
        }
        assert!(hosts().check(&request("/sql", &[])).is_err(), "no name at all");
    }

    #[test]
    fn addresses_are_let_in_where_names_alone_are_checked() {
        for names in [&[][..], &[&b"192.0.2.2:4444"[..]], &[b"[fe80::1]:80"], &[b"localhost"], &[b"db.internal"]] {
            assert!(hosts().check_name(&request("/health", names)).is_ok(), "{names:?}");
        }
        for names in [&[&b"evil.example"[..]][..], &[b"192.0.2.2", b"evil.example"], &[b"0x7f.1"], &[b"\xff"], &[b""]] {
            assert!(hosts().check_name(&request("/health", names)).is_err(), "{names:?}");
        }
    }

    #[test]
    fn of_several_names_all_must_be_known() {
        for (target, names) in [
            ("/sql", &[&b"localhost"[..], b"evil.example"][..]),
            ("/sql", &[b"evil.example", b"localhost"]),
            ("http://evil.example/sql", &[b"localhost"]),
            ("http://localhost/sql", &[b"evil.example"]),
            ("http://evil.example@localhost/sql", &[b"localhost"]),
            ("http://localhost/sql", &[b"\xff"]),
        ] {
            assert!(hosts().check(&request(target, names)).is_err(), "{target} {names:?}");
        }
    }
}
