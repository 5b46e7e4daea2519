use std::net::Ipv6Addr;

use url::Host;

/// Returns a host in the form in which it is kept (lower case, no brackets, no final dot), or what is wrong with it.
pub(super) fn checked(host: &str) -> Result<String, String> {
    if host.is_empty() {
        return Err("the host is empty: name the database's host".to_owned());
    }
    if host.starts_with(['/', '@']) {
        return Err("a Unix socket is not reached over HTTP or WebSocket: name a host, or put `pgferry gateway` in \
                    front of that Postgres and use the URL it prints"
            .to_owned());
    }
    if host.contains(',') {
        return Err("several hosts are not supported: name one, whose addresses are then tried in turn".to_owned());
    }
    if host.contains('%') {
        return Err("the host holds a `%`: a name has none, and an IPv6 address is written without its zone".to_owned());
    }
    let unbracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if unbracketed.is_some() || host.contains(':') {
        let address: Ipv6Addr =
            unbracketed.unwrap_or(host).parse().map_err(|_| "the host is not a valid IPv6 address".to_owned())?;
        return Ok(address.to_string());
    }
    match Host::parse(host.strip_suffix('.').unwrap_or(host)) {
        Ok(Host::Ipv4(address)) => Ok(address.to_string()),
        Ok(Host::Domain(name)) => Ok(name),
        Ok(Host::Ipv6(_)) | Err(_) => Err("the host is not a valid name: it may hold letters, digits, dots and \
                                           hyphens; whatever belongs to the password must be percent-encoded"
            .to_owned()),
    }
}

/// Returns a kept host as it stands in a URL: an IPv6 address in brackets.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Returns whether a URL's host can only be this machine (RFC 6761, section 6.3).
pub(super) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
    }
}
