use std::{net::SocketAddr, path::PathBuf};

/// Where a bridge listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A Unix socket, as libpq names it: the directory of `.s.PGSQL.<port>`.
    Unix {
        /// The directory; only this process's user may enter it.
        directory: PathBuf,
        /// The number in the socket's name.
        port: u16,
    },
    /// A port of the loopback interface, where there are no Unix sockets or no place for one.
    Tcp(SocketAddr),
}
