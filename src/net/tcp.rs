use std::{net::SocketAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};

use crate::{
    config::Config,
    error::{Error, Outcome, Result},
};

/// How long a connection is idle before the kernel probes the peer, and the pause between its probes. The probes also
/// keep an idle connection's entry in the translation tables of routers, of which some forget after five minutes.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));

/// Opens a TCP connection to a host and port, or to the config's addresses where it names some.
///
/// Each address is tried in turn; together, name look-up included, they have the config's connect timeout, of which each
/// gets an equal share of what is left. An IPv6 address may stand in brackets. The connection has `TCP_NODELAY` and
/// keep-alive set.
///
/// Cancel safe: dropping the future closes what was opened.
///
/// # Errors
///
/// [`Error::is_connect`], with every address tried and what each answered; [`Error::is_timeout`] when the name look-up
/// took all the time. Nothing was executed.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> pgferry::Result<()> {
/// let config: pgferry::Config = "postgres://app:secret@db.example/app".parse()?;
/// let tcp = pgferry::net::connect_tcp(&config, "db.example", 443).await?;
/// # drop(tcp); Ok(()) }
/// ```
pub async fn connect_tcp(config: &Config, host: &str, port: u16) -> Result<TcpStream> {
    connect_tcp_by(config, host, port, deadline(config)).await
}

/// Returns when the config's connect timeout ends, if it starts now.
pub(crate) fn deadline(config: &Config) -> Instant {
    // A timeout beyond what the clock can count is as good as none.
    let now = Instant::now();
    now.checked_add(config.get_connect_timeout()).unwrap_or_else(|| now + Duration::from_secs(60 * 60 * 24 * 365))
}

/// As [`connect_tcp`], by a deadline that later steps share.
pub(crate) async fn connect_tcp_by(config: &Config, host: &str, port: u16, deadline: Instant) -> Result<TcpStream> {
    let host = unbracketed(host);
    let addresses = addresses(config, host, port, deadline).await?;
    let mut tried = Vec::with_capacity(addresses.len());
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(prepared(tcp)),
            Ok(Err(error)) => tried.push(format!("{address}: {error}")),
            Err(_) => tried.push(format!("{address}: no answer within {share:.1?}")),
        }
    }
    Err(Error::connect(format!("no TCP connection to {host} port {port} ({})", tried.join("; "))))
}

/// Returns a host without the brackets that an IPv6 address has in a URL.
pub(crate) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

async fn addresses(config: &Config, host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>> {
    let given = config.get_addresses();
    if !given.is_empty() {
        let with_port = |address: &SocketAddr| match address.port() {
            0 => SocketAddr::new(address.ip(), port),
            _ => *address,
        };
        return Ok(given.iter().map(with_port).collect());
    }
    match timeout_at(deadline, lookup_host((host, port))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<SocketAddr> = Vec::new();
            for address in found {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() {
                return Err(Error::connect(format!("the host name {host:?} has no address")));
            }
            Ok(addresses)
        }
        Ok(Err(error)) => {
            Err(Error::connect(format!("the host name {host:?} cannot be resolved: {error}")).with_source(error))
        }
        Err(_) => {
            let timeout = config.get_connect_timeout();
            Err(Error::timeout(&format!("address for the host name {host:?}"), timeout, Outcome::NotExecuted))
        }
    }
}

/// Options that only tune: a system that refuses one still carries the bytes.
fn prepared(tcp: TcpStream) -> TcpStream {
    let options = [tcp.set_nodelay(true), SockRef::from(&tcp).set_tcp_keepalive(&KEEPALIVE)];
    for error in options.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a socket option was refused");
    }
    tcp
}
