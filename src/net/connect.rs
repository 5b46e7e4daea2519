use url::Url;

use super::{Deadline, Socket, Step, Trace, connect_tls, tcp::connect_tcp_by, tls_config};
use crate::{
    config::Config,
    error::{Error, Result},
};

/// Opens a connection to an endpoint: name look-up, TCP, and TLS where the URL's scheme is `https:` or `wss:`, in which these
/// ALPN protocols are offered.
///
/// Together they have the config's connect timeout. The trace gets what each step took, or which one failed.
///
/// Cancel safe: dropping the future closes what was opened.
///
/// # Errors
///
/// Nothing was executed.
///
/// - [`Error::is_config`] when the URL has no host or another scheme, or a root certificate cannot be used.
/// - [`Error::is_connect`] when no connection could be opened, and [`Error::is_tls`] as well where TLS failed.
/// - [`Error::is_timeout`] when a step took what was left of the connect timeout.
///
/// # Example
///
/// ```
/// use pgferry::net;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let url = format!("http://{}/sql", listener.local_addr()?).parse()?;
///
/// let mut trace = net::Trace::new();
/// net::connect(&pgferry::Config::new(), &url, &[], &mut trace).await?;
/// // An address needs no DNS, and plain HTTP no TLS.
/// assert!(matches!(trace.steps(), [(net::Step::Tcp, _)]));
/// assert_eq!(trace.failed(), None);
/// # Ok(())
/// # }
/// ```
pub async fn connect(config: &Config, url: &Url, alpn: &[&[u8]], trace: &mut Trace) -> Result<Socket> {
    connect_by(config, url, alpn, &Deadline::of(config), trace).await
}

/// As [`connect`], by a deadline that later steps share.
pub(crate) async fn connect_by(
    config: &Config,
    url: &Url,
    alpn: &[&[u8]],
    deadline: &Deadline,
    trace: &mut Trace,
) -> Result<Socket> {
    let tls = match url.scheme() {
        "https" | "wss" => Some(tls_config(config, alpn)?),
        "http" | "ws" => None,
        other => {
            return Err(Error::config(format!(
                "an endpoint's URL begins with https:, wss:, http: or ws:, not {other}:"
            )));
        }
    };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(Error::config("the endpoint's URL names no host"));
    };
    let tcp = connect_tcp_by(config, host, port, deadline, trace).await?;
    Ok(match tls {
        Some(tls) => {
            let handshake = connect_tls(tls, host, tcp, deadline);
            Socket::Tls(Box::new(trace.time(Step::Tls, handshake).await?))
        }
        None => Socket::Plain(tcp),
    })
}
