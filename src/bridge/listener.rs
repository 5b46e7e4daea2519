#[cfg(unix)]
use std::path::Path;
use std::{
    fs,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(unix)]
use super::directory;
use super::{Address, closing::Notice, handshake, shared::Shared};
use crate::error::{Error, Result};

/// The bound socket.
#[derive(Debug)]
pub(super) struct Listener {
    address: Address,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
    Tcp(std::net::TcpListener),
}

impl Listener {
    /// A Unix socket in a new private directory; a loopback port where that cannot be had.
    pub(super) fn bind() -> Result<Self> {
        #[cfg(unix)]
        for parent in directory::parents() {
            directory::remove_abandoned(&parent);
            if let Ok(listener) = Self::bind_unix(&parent) {
                return Ok(listener);
            }
        }
        Self::bind_tcp((Ipv4Addr::LOCALHOST, 0).into())
            .map_err(|error| Error::connect("the system gives no socket for the bridge").with_source(error))
    }

    /// A port of a loopback address.
    pub(super) fn bind_to(address: SocketAddr) -> Result<Self> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(Error::config(format!(
                "a bridge listens for this machine alone, and {address} is no loopback address: take 127.0.0.1, and let others start \
                 a bridge of their own"
            )));
        }
        Self::bind_tcp(address).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => Error::config(format!(
                "the bridge cannot listen on {address}: something else does, so take another port"
            )),
            _ => Error::config(format!("the bridge cannot listen on {address}: {error}")),
        })
    }

    fn bind_tcp(address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { address: Address::Tcp(socket.local_addr()?), socket: Socket::Tcp(socket) })
    }

    #[cfg(unix)]
    fn bind_unix(parent: &Path) -> io::Result<Self> {
        let directory = directory::create_in(parent)?;
        let bound = directory::listen_in(&directory).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        match bound {
            Ok(socket) => {
                let address = Address::Unix { directory, port: directory::PORT };
                Ok(Self { address, socket: Socket::Unix(socket) })
            }
            // A path too long, a file system without sockets: leave nothing behind.
            Err(error) => {
                let _ = fs::remove_dir_all(&directory);
                Err(error)
            }
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The task that serves connections until the bridge closes or is dropped.
    pub(super) fn accept_until(
        &self,
        mut notice: Notice,
        shared: Arc<Shared>,
    ) -> Result<impl Future<Output = ()> + Send + 'static> {
        let lost = |error| Error::connect("the bridge's socket was lost").with_source(error);
        // A second handle to the same socket; the first one says that the directory is in use.
        let socket = match &self.socket {
            #[cfg(unix)]
            Socket::Unix(socket) => Socket::Unix(socket.try_clone().map_err(lost)?),
            Socket::Tcp(socket) => Socket::Tcp(socket.try_clone().map_err(lost)?),
        };
        Ok(async move {
            let clients = notice.clone();
            tokio::select! {
                result = accept(socket, shared, clients) => {
                    if let Err(error) = result {
                        tracing::error!(%error, "the bridge's socket was lost");
                    }
                }
                () = notice.is_over() => {}
            }
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Address::Unix { directory, .. } = &self.address {
            // Someone else may have removed it already.
            let _ = fs::remove_dir_all(directory);
        }
    }
}

async fn accept(socket: Socket, shared: Arc<Shared>, notice: Notice) -> io::Result<()> {
    match socket {
        #[cfg(unix)]
        Socket::Unix(socket) => {
            let listener = tokio::net::UnixListener::from_std(socket)?;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if is_own(&stream) => serve(stream, &shared, &notice),
                    Ok(_) => tracing::warn!("another user's process tried to connect to the bridge"),
                    Err(error) => survive(error).await?,
                }
            }
        }
        Socket::Tcp(socket) => {
            let listener = tokio::net::TcpListener::from_std(socket)?;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        // A client that is gone already is found out by whoever serves it.
                        let _ = stream.set_nodelay(true);
                        serve(stream, &shared, &notice);
                    }
                    Err(error) => survive(error).await?,
                }
            }
        }
    }
}

fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: &Arc<Shared>, notice: &Notice) {
    let (shared, notice) = (Arc::clone(shared), notice.clone());
    tokio::spawn(async move {
        if let Err(error) = handshake::serve(stream, &shared, notice.clone()).await {
            tracing::debug!(%error, "a bridged client went away");
        }
        // The bridge has closed when the last of these is gone.
        drop(notice);
    });
}

/// Lets a passing lack of descriptors or memory pass; anything else ends the listener.
async fn survive(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted => Ok(()),
        ErrorKind::InvalidInput | ErrorKind::NotConnected => Err(error),
        _ => {
            tracing::warn!(%error, "the bridge cannot accept a connection just now");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            Ok(())
        }
    }
}

#[cfg(unix)]
fn is_own(stream: &tokio::net::UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}
