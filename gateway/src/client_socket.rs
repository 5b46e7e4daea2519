use std::{
    future::pending,
    io,
    net::Shutdown,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    time::sleep,
};

/// How long nothing may be read of what a client sent before it left, until it is given up.
const GRACE: Duration = Duration::from_millis(250);

/// What a connection's end shows as while there are bytes before it. For `PRIORITY` the runtime waits for the end too, and the sockets
/// are never registered for urgent data.
#[cfg(any(target_os = "linux", target_os = "android"))]
const END: Interest = Interest::PRIORITY.add(Interest::ERROR);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const END: Interest = Interest::ERROR;

/// A client's TCP connection, whose end can be seen by others than its reader.
#[derive(Clone)]
pub(crate) struct ClientSocket(Arc<Inner>);

struct Inner {
    tcp: TcpStream,
    /// How often something was read.
    reads: AtomicU64,
    /// Whether the reader has seen the end.
    ended: AtomicBool,
}

impl ClientSocket {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self(Arc::new(Inner { tcp, reads: AtomicU64::new(0), ended: AtomicBool::new(false) }))
    }

    /// Waits until the client has closed the connection while its reader, who would see it, does not read what came before.
    ///
    /// Never returns where the reader sees it. Cancel safe.
    pub(crate) async fn gone(&self) {
        // An error is an end as well.
        let _ = self.0.tcp.ready(END).await;
        loop {
            let before = self.0.reads.load(Ordering::Relaxed);
            sleep(GRACE).await;
            if self.0.ended.load(Ordering::Relaxed) {
                return pending().await;
            }
            if self.0.reads.load(Ordering::Relaxed) == before {
                return tracing::debug!("a client left before what it had sent was read");
            }
        }
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Inner { tcp, reads, ended } = &*self.0;
        loop {
            let read = match ready!(tcp.poll_read_ready(cx)) {
                Ok(()) => tcp.try_read_buf(buf),
                Err(error) => Err(error),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(length) if length > 0 => {
                    reads.fetch_add(1, Ordering::Relaxed);
                    return Poll::Ready(Ok(()));
                }
                read => {
                    ended.store(true, Ordering::Relaxed);
                    return Poll::Ready(read.map(drop));
                }
            }
        }
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let tcp = &self.0.tcp;
        poll_written(tcp, cx, || tcp.try_write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&self.0.tcp).shutdown(Shutdown::Write))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tcp = &self.0.tcp;
        poll_written(tcp, cx, || tcp.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

fn poll_written(
    tcp: &TcpStream,
    cx: &mut Context<'_>,
    mut write: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(tcp.poll_write_ready(cx))?;
        match write() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return Poll::Ready(written),
        }
    }
}
