use std::{
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
        let counting = Arc::clone(&counts);
        let (worker, address) = Worker::start(move || async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            let mut tasks = JoinSet::new();
            tasks.spawn(accept(listener, target, delay, counting));
            // Dropped with the worker, which ends all connections.
            Ok((address, tasks))
        })?;
        Ok(Self { _worker: worker, address, counts })
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
}

async fn accept(listener: TcpListener, target: SocketAddr, delay: Duration, counts: Arc<Counts>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        counts.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(carry(client, target, delay, Arc::clone(&counts)));
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(client: TcpStream, target: SocketAddr, delay: Duration, counts: Arc<Counts>) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Whether the client is speaking, or the server was the last to.
    let speaking = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&speaking);
    tokio::try_join!(
        one_way(from_client, to_server, delay, move || {
            if !speaking.swap(true, Ordering::SeqCst) {
                counts.flights.fetch_add(1, Ordering::SeqCst);
            }
        }),
        one_way(from_server, to_client, delay, move || heard.store(false, Ordering::SeqCst)),
    )?;
    Ok(())
}

/// Carries one direction: each piece arrives `delay` after it was sent, in order, whatever is sent meanwhile.
async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration, seen: impl Fn()) -> io::Result<()> {
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
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write)?;
    Ok(())
}
