mod keepalive;
mod url;

use std::{
    fmt, io,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use pgferry::{
    Config, Error, Outcome, Result,
    net::Socket,
    wire::{BackendKey, Client, Startup, cancel},
};
use rustls::pki_types::{CertificateDer, ServerName};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// How long a connection to Postgres may take to open, log-in included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What asks a Postgres server for TLS before anything else is said (manual, section 55.7, `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The Postgres server that a gateway stands in front of.
///
/// # Example
///
/// ```
/// use pgferry_gateway::Upstream;
///
/// let upstream: Upstream = "postgresql://app:secret@localhost:5433/appdb".parse()?;
/// assert_eq!((upstream.host(), upstream.port()), ("localhost", 5433));
/// assert_eq!((upstream.user(), upstream.database()), (Some("app"), Some("appdb")));
/// assert!(!format!("{upstream:?}").contains("secret"));
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    address: Address,
    tls: bool,
    /// Whose certificates are taken; where there is none, those that the platform trusts.
    roots: Vec<CertificateDer<'static>>,
    user: Option<String>,
    database: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Tcp { host: String, port: u16 },
    Unix { directory: PathBuf, port: u16 },
}

impl Upstream {
    /// Names a server by host and port, without TLS. A host that begins with a slash is the directory of a Unix socket.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        let host = host.into();
        let address = if host.starts_with('/') {
            Address::Unix { directory: host.into(), port }
        } else {
            Address::Tcp { host, port }
        };
        Self { address, tls: false, roots: Vec::new(), user: None, database: None }
    }

    /// Returns the host; `localhost` where the server is reached through a Unix socket.
    #[must_use]
    pub fn host(&self) -> &str {
        match &self.address {
            Address::Tcp { host, .. } => host,
            Address::Unix { .. } => "localhost",
        }
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self.address {
            Address::Tcp { port, .. } | Address::Unix { port, .. } => port,
        }
    }

    /// Returns the user of the URL that it was parsed from. It is there to be shown: callers log in as themselves.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the database of the URL that it was parsed from, there to be shown as well.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Checks that a Postgres server answers there, without logging in: whether it would serve TLS, which each says.
    ///
    /// Cancel safe: dropping it closes the connection.
    ///
    /// # Errors
    ///
    /// When none does, or TLS was asked for and fails.
    pub async fn check(&self) -> Result<()> {
        let answered = async {
            let mut stream = self.open().await?;
            if self.tls {
                return Ok(());
            }
            let lost = |error: io::Error| Error::connect(format!("Postgres at {self} closed the connection: {error}"));
            stream.write_all(&SSL_REQUEST).await.map_err(lost)?;
            stream.read_u8().await.map(drop).map_err(lost)
        };
        match timeout(CONNECT_TIMEOUT, answered).await {
            Ok(answered) => answered,
            Err(_) => Err(Error::timeout("answer of Postgres", CONNECT_TIMEOUT, Outcome::NotExecuted)),
        }
    }

    /// Opens a connection on which nothing but TLS has been agreed. Cancel safe.
    pub(crate) async fn connect(&self) -> Result<UpstreamStream> {
        match timeout(CONNECT_TIMEOUT, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::timeout("connection to Postgres", CONNECT_TIMEOUT, Outcome::NotExecuted)),
        }
    }

    /// Opens a connection and logs in. Cancel safe.
    pub(crate) async fn log_in(&self, startup: &Startup) -> Result<Client<UpstreamStream>> {
        match timeout(CONNECT_TIMEOUT, async { Client::connect(self.open().await?, startup).await }).await {
            Ok(connected) => connected,
            Err(_) => Err(Error::timeout("log-in at Postgres", CONNECT_TIMEOUT, Outcome::NotExecuted)),
        }
    }

    /// Asks the server to cancel what a session is running. Cancel safe.
    pub(crate) async fn cancel(&self, key: BackendKey) -> Result<()> {
        let stream = self.connect().await?;
        match timeout(CONNECT_TIMEOUT, cancel(stream, key)).await {
            Ok(done) => done,
            Err(_) => Err(Error::timeout("answer to a cancel request", CONNECT_TIMEOUT, Outcome::NotExecuted)),
        }
    }

    async fn open(&self) -> Result<UpstreamStream> {
        match &self.address {
            Address::Tcp { host, port } => {
                let tcp = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| {
                    Error::connect(format!("no connection to Postgres at {host} port {port}: {error}"))
                })?;
                keepalive::set(&tcp);
                let socket = if self.tls { secure(tcp, host, &self.roots).await? } else { Socket::Plain(tcp) };
                Ok(UpstreamStream::Socket(socket))
            }
            Address::Unix { directory, port } => open_unix(directory, *port).await,
        }
    }
}

#[cfg(unix)]
async fn open_unix(directory: &std::path::Path, port: u16) -> Result<UpstreamStream> {
    let path = directory.join(format!(".s.PGSQL.{port}"));
    let unix = UnixStream::connect(&path)
        .await
        .map_err(|error| Error::connect(format!("no connection to Postgres at {}: {error}", path.display())))?;
    Ok(UpstreamStream::Unix(unix))
}

#[cfg(not(unix))]
async fn open_unix(directory: &std::path::Path, _port: u16) -> Result<UpstreamStream> {
    let directory = directory.display();
    Err(Error::connect(format!("this system has no Unix sockets, so Postgres in {directory} cannot be reached")))
}

async fn secure(mut tcp: TcpStream, host: &str, roots: &[CertificateDer<'static>]) -> Result<Socket> {
    let lost = |error: io::Error| Error::connect(format!("Postgres at {host} closed the connection: {error}"));
    tcp.write_all(&SSL_REQUEST).await.map_err(lost)?;
    if tcp.read_u8().await.map_err(lost)? != b'S' {
        return Err(Error::connect(format!(
            "Postgres at {host} offers no TLS: turn it on there, or take sslmode=disable if the network is trusted"
        )));
    }
    let config = pgferry::net::tls_config(&Config::new().root_certificates(roots.iter().cloned()), &[])?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Error::connect(format!("{host:?} is no name that a certificate can be for")))?;
    let tls = TlsConnector::from(config)
        .connect(name, tcp)
        .await
        .map_err(|error| Error::connect(format!("TLS with Postgres at {host} failed: {error}")))?;
    Ok(Socket::Tls(Box::new(tls)))
}

// Certificates are long, and their names not in them as text.
impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, tls, roots, user, database } = self;
        f.debug_struct("Upstream")
            .field("address", address)
            .field("tls", tls)
            .field("roots", &roots.len())
            .field("user", user)
            .field("database", database)
            .finish()
    }
}

/// Where the server is, for people: without user and database.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, port } => write!(f, "{host} port {port}"),
            Address::Unix { directory, port } => write!(f, "{} port {port}", directory.display()),
        }
    }
}

/// A connection to the server.
pub(crate) enum UpstreamStream {
    Socket(Socket),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl AsyncRead for UpstreamStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_read(cx, buf),
            #[cfg(unix)]
            Self::Unix(unix) => Pin::new(unix).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for UpstreamStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(unix) => Pin::new(unix).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_flush(cx),
            #[cfg(unix)]
            Self::Unix(unix) => Pin::new(unix).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_shutdown(cx),
            #[cfg(unix)]
            Self::Unix(unix) => Pin::new(unix).poll_shutdown(cx),
        }
    }
}

/// Servers are shared by every request and session.
pub(crate) type SharedUpstream = Arc<Upstream>;
