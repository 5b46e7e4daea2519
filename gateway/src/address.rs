use std::{net::IpAddr, sync::Arc};

use http::StatusCode;

use crate::{
    sql::Fault,
    upstream::{SharedUpstream, Upstream},
};

/// Chooses the server that a WebSocket's `?address=host:port` names. Without one, it is the upstream.
///
/// What is neither the upstream, nor the gateway itself by the name it was called by, nor on the list is refused: a gateway is
/// no open relay.
pub(crate) fn choose(
    query: Option<&str>,
    gateway: Option<&str>,
    upstream: &SharedUpstream,
    allowed: &[Upstream],
) -> Result<SharedUpstream, Fault> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let Some((_, address)) = pairs.into_iter().find(|(key, _)| key == "address") else {
        return Ok(Arc::clone(upstream));
    };
    if gateway.is_some_and(|gateway| gateway.eq_ignore_ascii_case(&address)) {
        return Ok(Arc::clone(upstream));
    }
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok()),
        None => (&*address, Some(5432)),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is = |server: &Upstream| is_same(server.host(), host) && Some(server.port()) == port;
    if is(upstream) {
        return Ok(Arc::clone(upstream));
    }
    match allowed.iter().find(|server| is(server)) {
        Some(server) => Ok(Arc::new(server.clone())),
        None => Err(Fault::new(
            StatusCode::FORBIDDEN,
            format!(
                "?address= names another server than {}:{}, which alone is reached through this gateway",
                upstream.host(),
                upstream.port()
            ),
        )),
    }
}

/// Whether two names are one, or both are names of this machine.
fn is_same(host: &str, other: &str) -> bool {
    host.eq_ignore_ascii_case(other) || is_loopback(host) && is_loopback(other)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_servers_are_chosen() {
        let upstream = Arc::new(Upstream::new("db.internal", 5433));
        let allowed = [Upstream::new("::1", 6000)];
        let choose = |query: Option<&str>| {
            choose(query, Some("localhost:4444"), &upstream, &allowed).map(|server| server.port()).ok()
        };
        assert_eq!(choose(None), Some(5433));
        assert_eq!(choose(Some("address=DB.internal:5433")), Some(5433));
        assert_eq!(choose(Some("x=1&address=db.internal%3A5433")), Some(5433));
        assert_eq!(choose(Some("address=localhost:4444")), Some(5433));
        for loopback in ["[::1]", "localhost", "LocalHost", "127.0.0.1"] {
            assert_eq!(choose(Some(&format!("address={loopback}:6000"))), Some(6000), "{loopback}");
        }
        for query in [
            "address=db.internal:5432",
            "address=db.internal",
            "address=",
            "address=10.0.0.1:5433",
            "address=localhost:5433",
            "address=10.0.0.1:6000",
            "address=db.internal:x",
        ] {
            assert_eq!(choose(Some(query)), None, "{query}");
        }
    }
}
