use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{Deadline, Step, Trace};
use crate::{
    config::Config,
    error::{Error, Result},
};

/// How long a connection is idle before the kernel probes the peer, and the pause between its probes. The probes also
/// keep an idle connection's entry in the translation tables of routers, of which some forget after five minutes.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(20)).with_interval(Duration::from_secs(10));

/// How long the peer's machine may be silent when it was sent something or is probed, where the system can be told (RFC
/// 5482); the connection is then broken. A server that only takes its time is not silent: its system answers.
#[cfg(any(target_os = "android", target_os = "linux"))]
const SILENCE: Duration = Duration::from_secs(60);

/// Opens a TCP connection to a host and port, or to the config's addresses where it names some.
///
/// Each address is tried in turn; together, name look-up included, they have the config's connect timeout, of which each
/// gets an equal share of what is left. An IPv6 address may stand in brackets. The connection has `TCP_NODELAY` and
/// keep-alive set, and on Linux `TCP_USER_TIMEOUT`: there it breaks when the peer's machine has been silent for 60 s.
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
    connect_tcp_by(config, host, port, &Deadline::of(config), &mut Trace::new()).await
}

/// As [`connect_tcp`], by a deadline that later steps share, and with its steps noted.
pub(super) async fn connect_tcp_by(
    config: &Config,
    host: &str,
    port: u16,
    deadline: &Deadline,
    trace: &mut Trace,
) -> Result<TcpStream> {
    let host = unbracketed(host);
    let given = config.get_addresses();
    let addresses = if !given.is_empty() {
        with_port(given, port)
    } else if let Ok(address) = host.parse::<IpAddr>() {
        vec![SocketAddr::new(address, port)]
    } else {
        let what = format!("address for the host name {host:?}");
        trace.time(Step::Dns, deadline.bound(&what, resolve(host, port))).await?
    };
    trace.time(Step::Tcp, connect_any(&addresses, host, port, deadline)).await
}

/// Tries each address in turn.
pub(super) async fn connect_any(
    addresses: &[SocketAddr],
    host: &str,
    port: u16,
    deadline: &Deadline,
) -> Result<TcpStream> {
    let mut tried = Vec::with_capacity(addresses.len());
    for (index, address) in addresses.iter().enumerate() {
        let share = deadline.left() / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(prepared(tcp)),
            Ok(Err(error)) => tried.push(format!("{address}: {error}")),
            Err(_) => tried.push(format!("{address}: no answer within {share:.1?}")),
        }
    }
    Err(Error::connect(format!("no TCP connection to {host} port {port} ({})", tried.join("; "))))
}

/// Returns a host without the brackets that an IPv6 address has in a URL.
pub(super) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Returns the addresses with the URL's port where they name none.
pub(super) fn with_port(addresses: &[SocketAddr], port: u16) -> Vec<SocketAddr> {
    let fill = |address: &SocketAddr| match address.port() {
        0 => SocketAddr::new(address.ip(), port),
        _ => *address,
    };
    addresses.iter().map(fill).collect()
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let found = lookup_host((host, port))
        .await
        .map_err(|error| Error::connect(format!("the host name {host:?} cannot be resolved: {error}")))?;
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

/// Options that only tune: a system that refuses one still carries the bytes.
fn prepared(tcp: TcpStream) -> TcpStream {
    let socket = SockRef::from(&tcp);
    let options = [
        tcp.set_nodelay(true),
        socket.set_tcp_keepalive(&KEEPALIVE),
        #[cfg(any(target_os = "android", target_os = "linux"))]
        socket.set_tcp_user_timeout(Some(SILENCE)),
    ];
    for error in options.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a socket option was refused");
    }
    tcp
}
