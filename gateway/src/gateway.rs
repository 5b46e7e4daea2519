use std::{fmt, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use pgferry::{Error, Result};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    pin, select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    client_socket::ClientSocket,
    client_stream::ClientStream,
    config::GatewayConfig,
    executor::Executor,
    faults::{Cut, Injector},
    first_bytes::FirstBytes,
    health::Health,
    memory::Memory,
    metrics::Metrics,
    pool::{self, Pool},
    service,
    slots::Slots,
    upstream::SharedUpstream,
};

/// The largest head of a request over HTTP/1.1, in bytes; what is larger is answered with 431.
const MAX_HEAD: usize = 64 * 1024;

/// The same over HTTP/2, where the reference takes no more either (PROTOCOL.md, section 2).
const MAX_HEADERS: u32 = 16 * 1024;

/// How long a TLS handshake may take.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is idle before the kernel probes the client, and the pause between its probes.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));

/// How long a shutdown waits for requests and sessions to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it then waits until what still runs is cancelled at Postgres.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait after the system gave no connection, when it is short of file descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A gateway that is listening: SQL over HTTP at [`http_url`](Self::http_url) and Postgres over WebSocket at
/// [`ws_url`](Self::ws_url), in front of one Postgres server.
///
/// It runs on the runtime that it was bound on. Dropping it closes every connection at once and cancels what runs on them;
/// [`shutdown`](Self::shutdown) lets requests end first.
///
/// # Example
///
/// ```
/// use pgferry_gateway::{Gateway, GatewayConfig};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pgferry::Error> {
/// let config = GatewayConfig::new("postgresql://localhost:5432".parse()?);
/// let gateway = Gateway::bind(config).await?;
/// let port = gateway.local_addr().port();
/// assert_eq!(gateway.http_url(), format!("http://127.0.0.1:{port}/sql"));
/// assert_eq!(gateway.ws_url(), format!("ws://127.0.0.1:{port}/v2"));
/// gateway.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Gateway {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What every connection of a gateway shares.
pub(crate) struct Shared {
    pub(crate) config: GatewayConfig,
    pub(crate) upstream: SharedUpstream,
    pub(crate) slots: Arc<Slots>,
    pub(crate) pool: Pool,
    pub(crate) faults: Option<Injector>,
    pub(crate) memory: Memory,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Health,
    /// Set when nothing new is to begin.
    pub(crate) draining: CancellationToken,
    /// Set when sessions in a transaction are to end too.
    pub(crate) ending: CancellationToken,
    /// Set when everything is to end at once.
    killed: CancellationToken,
    tasks: TaskTracker,
    /// What tells Postgres of requests and sessions that were given up, and outlives them.
    pub(crate) cancels: TaskTracker,
}

impl Gateway {
    /// Starts to listen.
    ///
    /// The upstream need not be there yet: each request connects to it, and reports where that fails.
    ///
    /// Cancel safe: dropping it stops listening.
    ///
    /// # Errors
    ///
    /// * When the address is not loopback and TLS is missing, unless that was [allowed](GatewayConfig::allow_plain).
    /// * When the address cannot be listened on, because something else does as a rule.
    pub async fn bind(mut config: GatewayConfig) -> Result<Self> {
        config.check()?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|error| Error::connect(format!("the gateway cannot listen on {}: {error}", config.listen)))?;
        let address = listener
            .local_addr()
            .map_err(|error| Error::connect(format!("the gateway's own address is unknown: {error}")))?;
        if !address.ip().is_unspecified() {
            let host = host(address);
            config.hosts.allow(&host);
        }
        let upstream = Arc::new(config.upstream.clone());
        let settings = pool::Settings {
            size: config.pool_size,
            idle_timeout: config.idle_timeout,
            max_lifetime: config.max_lifetime,
            max_response: config.limits.response,
        };
        let metrics = Arc::new(Metrics::new());
        let slots = Arc::new(Slots::new(
            config.max_connections,
            config.max_connections_per_role,
            config.queue_timeout,
            Arc::clone(&metrics),
        ));
        let memory = Memory::new(config.max_request_memory);
        let clients = Arc::new(Semaphore::new(config.max_clients.clamp(1, Semaphore::MAX_PERMITS)));
        let cancels = TaskTracker::new();
        let pool =
            Pool::new(Arc::clone(&upstream), Arc::clone(&slots), cancels.clone(), Arc::clone(&metrics), settings)?;
        let draining = CancellationToken::new();
        let faults = Injector::new(&config.faults, &draining);
        let shared = Arc::new(Shared {
            config,
            upstream,
            slots,
            pool,
            faults,
            memory,
            metrics,
            health: Health::default(),
            draining,
            ending: CancellationToken::new(),
            killed: CancellationToken::new(),
            tasks: TaskTracker::new(),
            cancels,
        });
        shared.spawn(Arc::clone(&shared).accept(listener, clients));
        let tidied = Arc::clone(&shared);
        shared.spawn(async move {
            select! {
                () = tidied.pool.keep_tidy() => {}
                () = tidied.draining.cancelled() => {}
            }
        });
        Ok(Self { address, shared })
    }

    /// Returns the address that it listens on, with the port that the system chose where none was given.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns where it serves SQL over HTTP: `http://127.0.0.1:4444/sql`.
    #[must_use]
    pub fn http_url(&self) -> String {
        let scheme = if self.shared.config.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/sql", self.authority())
    }

    /// Returns where it serves Postgres over WebSocket: `ws://127.0.0.1:4444/v2`.
    #[must_use]
    pub fn ws_url(&self) -> String {
        let scheme = if self.shared.config.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}/v2", self.authority())
    }

    /// Stops listening, lets running requests end, closes the sessions and returns when all is done, after eleven seconds at
    /// the latest. What runs after ten is cancelled at Postgres.
    ///
    /// A session ends when nothing runs in it, with Postgres's own error 57P01 and a Close frame. One in a transaction has half of the
    /// time to end that.
    ///
    /// Cancel safe: dropping it ends everything at once.
    pub async fn shutdown(self) {
        self.shutdown_until(pending()).await;
    }

    /// Shuts down as [`shutdown`](Self::shutdown) does, and cancels what still runs as soon as `enough` is ready, for which it
    /// takes a second at the most.
    ///
    /// Cancel safe: dropping it ends everything at once, and cancels what runs where the runtime goes on.
    pub async fn shutdown_until(self, enough: impl Future<Output = ()>) {
        select! {
            () = self.drain() => {}
            () = enough => {}
        }
        let Shared { killed, tasks, cancels, .. } = &*self.shared;
        killed.cancel();
        cancels.close();
        let cancelled = async {
            tasks.wait().await;
            cancels.wait().await;
        };
        if timeout(CANCEL_TIMEOUT, cancelled).await.is_err() {
            tracing::warn!("Postgres was not told of every request that was cancelled: some may go on there");
        }
    }

    /// Lets requests and sessions end for as long as they have.
    async fn drain(&self) {
        self.shared.draining.cancel();
        self.shared.tasks.close();
        let (half, tasks) = (SHUTDOWN_TIMEOUT / 2, &self.shared.tasks);
        if timeout(half, tasks.wait()).await.is_ok() {
            return;
        }
        self.shared.ending.cancel();
        if timeout(half, tasks.wait()).await.is_err() {
            tracing::warn!("requests that are still running are cancelled");
        }
    }

    /// A wildcard address is listened on and called by a name that certificates and browsers know.
    fn authority(&self) -> String {
        if self.address.ip().is_unspecified() || self.shared.config.tls.is_some() && self.address.ip().is_loopback() {
            return format!("localhost:{}", self.address.port());
        }
        format!("{}:{}", host(self.address), self.address.port())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shared.draining.cancel();
        self.shared.killed.cancel();
        self.shared.pool.close_idle(Duration::ZERO);
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, shared } = self;
        f.debug_struct("Gateway").field("address", address).field("config", &shared.config).finish()
    }
}

impl Shared {
    /// Starts a task that ends with the gateway.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let killed = self.killed.clone();
        self.tasks.spawn(async move {
            select! {
                biased;
                () = killed.cancelled() => {}
                () = task => {}
            }
        });
    }

    async fn accept(self: Arc<Self>, listener: TcpListener, clients: Arc<Semaphore>) {
        loop {
            let accepted = async {
                // Those beyond the limit wait in the system's own queue.
                let place = Arc::clone(&clients).acquire_owned().await.ok();
                listener.accept().await.map(|(tcp, _)| (tcp, place))
            };
            let accepted = select! {
                accepted = accepted => accepted,
                () = self.draining.cancelled() => return,
            };
            match accepted {
                Ok((tcp, place)) => {
                    let served = Arc::clone(&self).connection(tcp, place);
                    self.spawn(served);
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, mut tcp: TcpStream, place: Option<OwnedSemaphorePermit>) {
        // Only latency is at stake, and how soon a client that has vanished is noticed.
        let _ = tcp.set_nodelay(true);
        let _ = SockRef::from(&tcp).set_tcp_keepalive(&KEEPALIVE);
        if let Some(faults) = &self.faults
            && let Err(Cut) = faults.accept(&mut tcp).await
        {
            return;
        }
        let socket = ClientSocket::new(tcp);
        let Some(tls) = &self.config.tls else {
            return self.serve(socket.clone(), socket, place).await;
        };
        match timeout(TLS_TIMEOUT, TlsAcceptor::from(Arc::clone(tls)).accept(socket.clone())).await {
            Ok(Ok(tls)) => self.serve(tls, socket, place).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn serve<S>(self: Arc<Self>, stream: S, socket: ClientSocket, place: Option<OwnedSemaphorePermit>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shared = Arc::clone(&self);
        let cut = CancellationToken::new();
        let cutting = cut.clone();
        let client = socket.clone();
        let service = service_fn(move |request| {
            let (shared, client, cut) = (Arc::clone(&shared), client.clone(), cutting.clone());
            async move { service::respond(shared, client, request).await.inspect_err(|Cut| cut.cancel()) }
        });
        let mut builder = auto::Builder::new(Executor(Arc::clone(&self)));
        let patience = self.config.limits.silence;
        // The time for a head begins with the answer before it, and clients like to come back after a minute.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.saturating_mul(2)).max_buf_size(MAX_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(200)
            .max_header_list_size(MAX_HEADERS)
            .keep_alive_interval(patience)
            .keep_alive_timeout(patience);
        let stream = ClientStream::new(stream, patience, place);
        let stream = FirstBytes::within(patience, stream);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        pin!(connection);
        let serving = async {
            select! {
                served = connection.as_mut() => served,
                () = self.draining.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        let served = select! {
            served = serving => served,
            () = cut.cancelled() => Ok(()),
            () = socket.gone() => Ok(()),
        };
        if let Err(error) = served {
            tracing::debug!(error, "a connection ended early");
        }
    }
}

fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}
