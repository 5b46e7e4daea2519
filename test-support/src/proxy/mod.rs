mod faults;

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use self::faults::{Faults, Line};
use crate::worker::Worker;

/// Bytes on the way in one direction before the sender has to wait.
const CHUNKS_IN_FLIGHT: usize = 1024;

/// A TCP proxy that delays every byte on its way, as distance does, and counts connections and flights.
///
/// A flight is what a client sends without waiting for an answer: a round trip costs one each time that the client speaks
/// again after it has heard from the server. Opening the connection is not counted.
#[derive(Debug)]
pub struct Proxy {
    _worker: Worker,
    address: SocketAddr,
    counts: Arc<Counts>,
    faults: Arc<Faults>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    flights: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy on a free port of 127.0.0.1 before `target`; `delay` is that of each direction.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start(target: SocketAddr, delay: Duration) -> Result<Self> {
        let counts = Arc::new(Counts::default());
        let faults = Arc::new(Faults::default());
        let (counting, failing) = (Arc::clone(&counts), Arc::clone(&faults));
        let (worker, address) = Worker::start(move || async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            let mut tasks = JoinSet::new();
            tasks.spawn(accept(listener, Way { target, delay, counts: counting, faults: failing }));
            // Dropped with the worker, which ends all connections.
            Ok((address, tasks))
        })?;
        Ok(Self { _worker: worker, address, counts, faults })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Returns how many flights clients have sent, on all connections.
    #[must_use]
    pub fn flights(&self) -> usize {
        self.counts.flights.load(Ordering::SeqCst)
    }

    /// Swallows whatever is sent from now on, in both directions and on connections still to come, and keeps the sockets open:
    /// what a machine sees whose network was cut, except that its bytes are acknowledged.
    pub fn cut(&self) {
        self.faults.cut();
    }

    /// Carries the connections that come from now on; those that were cut stay so.
    pub fn mend(&self) {
        self.faults.mend();
    }

    /// Closes all connections that are open.
    pub fn close(&self) {
        self.faults.close();
    }
}

/// What all connections of a proxy have in common.
#[derive(Clone, Debug)]
struct Way {
    target: SocketAddr,
    delay: Duration,
    counts: Arc<Counts>,
    faults: Arc<Faults>,
}

async fn accept(listener: TcpListener, way: Way) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        way.counts.connections.fetch_add(1, Ordering::SeqCst);
        let mut line = Line::new(&way.faults);
        let way = way.clone();
        connections.spawn(async move {
            let lost = line.lost();
            tokio::select! {
                carried = carry(client, &way, line) => carried,
                () = lost => Ok(()),
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(client: TcpStream, way: &Way, line: Line) -> io::Result<()> {
    if line.is_cut() {
        return silence(client).await;
    }
    let server = TcpStream::connect(way.target).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Whether the client is speaking, or the server was the last to.
    let speaking = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&speaking);
    tokio::try_join!(
        one_way(from_client, to_server, way.delay, &line, move || {
            if !speaking.swap(true, Ordering::SeqCst) {
                way.counts.flights.fetch_add(1, Ordering::SeqCst);
            }
        }),
        one_way(from_server, to_client, way.delay, &line, move || heard.store(false, Ordering::SeqCst)),
    )?;
    Ok(())
}

/// Carries one direction: each piece arrives `delay` after it was sent, in order, whatever is sent meanwhile.
async fn one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    line: &Line,
    seen: impl Fn(),
) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_IN_FLIGHT);
    let read = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                drop(sender);
                return io::Result::Ok(());
            }
            seen();
            let piece = buffer.get(..length).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + delay, piece)).await.is_err() {
                return Ok(());
            }
        }
    };
    let write = async {
        while let Some((due, piece)) = receiver.recv().await {
            if !delay.is_zero() {
                sleep_until(due).await;
            }
            if !line.is_cut() {
                to.write_all(&piece).await?;
            }
        }
        if line.is_cut() {
            // The other side is never told.
            return pending().await;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write)?;
    Ok(())
}

/// Takes a client's bytes and never answers.
async fn silence(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    while client.read(&mut buffer).await? > 0 {}
    pending().await
}
