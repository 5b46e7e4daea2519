use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;

use super::{ByteStream, upgrade::upgrade};
use crate::{
    config::Config,
    error::{Error, Result},
    net::{self, Deadline, Socket},
};

/// What [`connect`] gives: Postgres's bytes in a WebSocket over TCP or TLS.
pub type Stream = ByteStream<Socket>;

/// The one protocol in which a WebSocket is opened here (RFC 6455); HTTP/2 has another way, which few servers know.
const ALPN: &[&[u8]] = &[b"http/1.1"];

/// Opens a WebSocket to the config's endpoint: TCP, TLS where the URL is `wss:`, upgrade.
///
/// Together they have the config's connect timeout.
///
/// Cancel safe: dropping the future closes what was opened.
///
/// # Errors
///
/// Nothing was executed.
///
/// - [`Error::is_config`] when the config names no usable endpoint.
/// - [`Error::is_connect`] when no connection could be opened, or the server refused the upgrade; then the message tells
///   its status and the beginning of what it said.
/// - [`Error::is_tls`] as well where TLS failed.
/// - [`Error::is_timeout`] when a step took what was left of the connect timeout.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> pgferry::Result<()> {
/// let config: pgferry::Config = "postgres://app:secret@db.example/app".parse()?;
/// let stream = pgferry::websocket::connect(&config).await?;
/// # drop(stream); Ok(()) }
/// ```
pub async fn connect(config: &Config) -> Result<Stream> {
    let url = config.endpoint_ws()?;
    let tls = match url.scheme() {
        "wss" => Some(net::tls_config(config, ALPN)?),
        "ws" => None,
        other => return Err(Error::config(format!("a WebSocket URL begins with wss: or ws:, not {other}:"))),
    };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(Error::config("the WebSocket URL names no host"));
    };
    let deadline = Deadline::of(config);
    let tcp = net::connect_tcp_by(config, host, port, &deadline).await?;
    let socket = match tls {
        Some(tls) => Socket::Tls(Box::new(net::connect_tls(tls, host, tcp, &deadline).await?)),
        None => Socket::Plain(tcp),
    };
    deadline.bound(&format!("answer to the WebSocket upgrade from {host}"), connect_on(socket, &url)).await
}

/// Upgrades any stream to a WebSocket; the URL gives the Host header and the path.
///
/// It sets no time limit. No subprotocol and no extensions are offered, nor accepted.
///
/// Cancel safe in that nothing was executed; the stream is lost.
///
/// # Errors
///
/// [`Error::is_connect`], when the stream breaks or the server answers anything but a correct 101, and
/// [`Error::is_config`], when the URL cannot be asked for. Nothing was executed.
///
/// # Example
///
/// [`ByteStream`] has one.
pub async fn connect_on<S>(mut stream: S, url: &Url) -> Result<ByteStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let read_ahead = upgrade(&mut stream, url).await?;
    Ok(ByteStream::new(stream, read_ahead, Role::Client).await)
}
