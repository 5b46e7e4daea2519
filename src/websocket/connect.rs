use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;

use super::{ByteStream, upgrade::upgrade};
use crate::{
    config::Config,
    error::Result,
    net::{self, Deadline, Socket, Trace},
};

/// What [`connect`] gives: Postgres's bytes in a WebSocket over TCP or TLS.
pub type Stream = ByteStream<Socket>;

/// The ALPN protocol in which a WebSocket is opened here (RFC 6455); HTTP/2 has another way, which few servers know.
pub const ALPN: &[&[u8]] = &[b"http/1.1"];

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
/// - [`Error::is_config`](crate::Error::is_config) when the config names no usable endpoint.
/// - [`Error::is_connect`](crate::Error::is_connect) when no connection could be opened, or the server refused the upgrade; then the message tells
///   its status and the beginning of what it said.
/// - [`Error::is_tls`](crate::Error::is_tls) as well where TLS failed.
/// - [`Error::is_timeout`](crate::Error::is_timeout) when a step took what was left of the connect timeout.
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
    let host = url.host_str().unwrap_or_default();
    let deadline = Deadline::of(config);
    let socket = net::connect_by(config, &url, ALPN, &deadline, &mut Trace::new()).await?;
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
/// [`Error::is_connect`](crate::Error::is_connect), when the stream breaks or the server answers anything but a correct 101, and
/// [`Error::is_config`](crate::Error::is_config), when the URL cannot be asked for. Nothing was executed.
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
