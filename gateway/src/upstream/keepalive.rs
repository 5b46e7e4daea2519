use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// How long a connection is idle before the kernel probes the server.
const IDLE: Duration = Duration::from_secs(30);

/// The pause between its probes.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long the other machine may leave unacknowledged what it was sent, where the system can be told (RFC 5482).
#[cfg(target_os = "linux")]
const SILENCE: Duration = Duration::from_secs(30);

/// Sees to it that the connection is ended when the machine at its other end is silent, as one that was cut off is. A server that
/// only takes its time is not silent: its system answers.
pub(super) fn set(tcp: &TcpStream) {
    // Only latency is at stake, and how soon a server that has vanished is noticed.
    let _ = tcp.set_nodelay(true);
    let socket = SockRef::from(tcp);
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(SILENCE));
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::{
        super::{Upstream, UpstreamStream},
        *,
    };

    #[tokio::test]
    async fn connections_to_the_server_are_probed() -> Result<(), Box<dyn std::error::Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let upstream = Upstream::new("127.0.0.1", listener.local_addr()?.port());
        let UpstreamStream::Socket(pgferry::net::Socket::Plain(tcp)) = upstream.connect().await? else {
            panic!("no plain connection");
        };
        let socket = SockRef::from(&tcp);
        assert!(socket.keepalive()? && tcp.nodelay()?);
        assert_eq!((socket.tcp_keepalive_time()?, socket.tcp_keepalive_interval()?), (IDLE, INTERVAL));
        assert_eq!(socket.tcp_user_timeout()?, Some(SILENCE));
        Ok(())
    }
}
