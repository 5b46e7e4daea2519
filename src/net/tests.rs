use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Deadline, Socket, Step, Trace, connect, connect_tls,
    tcp::{connect_any, unbracketed, with_port},
    tls::client_config,
};
use crate::{Config, Outcome, websocket};

/// What PlanetScale's hosts look like; it is resolved to a local address.
const HOST: &str = "abcd.us-east-2.pg.psdb.cloud";

/// An address where nobody listens: port 1 is reserved and unused.
const NOBODY: &str = "127.0.0.1:1";

fn within_a_minute() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// A server that has a certificate for `HOST` and for 127.0.0.1, signed by itself.
struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        Self::start_valid(2000, 4000).await
    }

    /// Starts one whose certificate is valid from the beginning of a year to that of another.
    async fn start_valid(from: i32, to: i32) -> Self {
        let mut params = CertificateParams::new([HOST.to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], secret)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)), certificate, address }
    }

    async fn accept(&self) -> io::Result<TlsStream<TcpStream>> {
        let (tcp, _) = self.listener.accept().await?;
        self.acceptor.accept(tcp).await
    }

    /// Connects as `host` while the server accepts.
    async fn connected(
        &self,
        host: &str,
        roots: &[CertificateDer<'static>],
    ) -> (crate::Result<tokio_rustls::client::TlsStream<TcpStream>>, io::Result<TlsStream<TcpStream>>) {
        let client = async {
            let tcp = TcpStream::connect(self.address).await.unwrap();
            connect_tls(client_config(roots, &[b"http/1.1"])?, host, tcp, &within_a_minute()).await
        };
        tokio::join!(client, self.accept())
    }
}

#[tokio::test]
async fn a_websocket_over_tls_arrives_with_the_host_it_was_meant_for() {
    let server = Server::start().await;
    let (client, accepted) = server.connected(HOST, std::slice::from_ref(&server.certificate)).await;
    let (client, mut accepted) = (client.unwrap(), accepted.unwrap());
    assert_eq!(accepted.get_ref().1.server_name(), Some(HOST));
    assert_eq!(accepted.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));

    let url = format!("wss://{HOST}/v2?address={HOST}:6432").parse().unwrap();
    let serving = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(accepted.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        accepted.write_all(answer.as_bytes()).await.unwrap();
        let mut stream = websocket::ByteStream::accepted(accepted).await;
        let mut data = [0; 4];
        stream.read_exact(&mut data).await.unwrap();
        stream.write_all(&data).await.unwrap();
        stream.shutdown().await.unwrap();
        request
    };
    let asking = async {
        let mut stream = websocket::connect_on(client, &url).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        stream.flush().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        stream.shutdown().await.unwrap();
        answer
    };
    let (answer, request) = tokio::join!(asking, serving);
    assert_eq!(answer, b"ping");
    assert!(request.starts_with(&format!("GET /v2?address={HOST}:6432 HTTP/1.1\r\nHost: {HOST}\r\n")), "{request}");
}

#[tokio::test]
async fn each_step_of_a_connection_is_noted_with_what_the_handshake_agreed_on() {
    let server = Server::start().await;
    let config = Config::new().root_certificates([server.certificate.clone()]);
    let url = format!("https://127.0.0.1:{}/sql", server.address.port()).parse().unwrap();
    let mut trace = Trace::new();
    let (client, accepted) = tokio::join!(connect(&config, &url, &[b"h2", b"http/1.1"], &mut trace), server.accept());
    let (client, _accepted) = (client.unwrap(), accepted.unwrap());
    assert!(matches!(trace.steps(), [(Step::Tcp, _), (Step::Tls, _)]), "{trace:?}");
    assert_eq!(trace.failed(), None);
    let handshake = client.handshake().unwrap();
    assert_eq!((handshake.version, handshake.alpn, handshake.round_trips), ("TLS 1.3", Some(&b"h2"[..]), 1));
}

#[tokio::test]
async fn the_step_that_fails_is_noted() {
    let server = Server::start().await;
    let nobody = |scheme: &str| format!("{scheme}://{NOBODY}/").parse().unwrap();
    let config = Config::new();

    let mut trace = Trace::new();
    connect(&config, &nobody("ws"), &[], &mut trace).await.unwrap_err();
    assert_eq!((trace.steps(), trace.failed()), (&[][..], Some(Step::Tcp)));

    let mut trace = Trace::new();
    // RFC 6761, section 6.4: this name never has an address.
    connect(&config, &"http://nobody.invalid/".parse().unwrap(), &[], &mut trace).await.unwrap_err();
    assert_eq!((trace.steps(), trace.failed()), (&[][..], Some(Step::Dns)));

    let mut trace = Trace::new();
    let another = Config::new().root_certificates([Server::start().await.certificate]);
    let url = format!("wss://{}/", server.address).parse().unwrap();
    let (client, _) = tokio::join!(connect(&another, &url, &[], &mut trace), server.accept());
    assert!(client.unwrap_err().is_tls());
    assert!(matches!(trace.steps(), [(Step::Tcp, _)]) && trace.failed() == Some(Step::Tls), "{trace:?}");
}

#[tokio::test]
async fn plain_tcp_has_no_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    assert_eq!(Socket::Plain(tcp).handshake(), None);
}

#[tokio::test]
async fn a_server_that_closes_in_the_handshake_is_asked_about() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut accepted, _) = listener.accept().await.unwrap();
    let closing = async {
        let mut hello = [0; 5];
        accepted.read_exact(&mut hello).await.unwrap();
        accepted.shutdown().await.unwrap();
        // What was not read would reset the connection.
        while accepted.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {}
    };
    let tls = client_config(&[Server::start().await.certificate], &[]).unwrap();
    let deadline = within_a_minute();
    let (error, ()) = tokio::join!(connect_tls(tls, HOST, tcp, &deadline), closing);
    let error = error.unwrap_err();
    assert!(error.is_tls() && error.to_string().contains("does it speak TLS on this port?"), "{error}");
}

#[tokio::test]
async fn an_ip_address_is_verified_and_not_sent_as_a_name() {
    let server = Server::start().await;
    let (client, accepted) = server.connected("127.0.0.1", std::slice::from_ref(&server.certificate)).await;
    client.unwrap();
    assert_eq!(accepted.unwrap().get_ref().1.server_name(), None);
}

#[tokio::test]
async fn a_certificate_that_does_not_prove_the_host_is_refused() {
    let server = Server::start().await;
    // Another name too: a certificate of the same name would be taken for the signer and fail as a forgery.
    let mut another = CertificateParams::new(Vec::new()).unwrap();
    another.distinguished_name.push(DnType::CommonName, "Another root");
    let another = another.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
    for (host, roots, what) in [
        (HOST, &[another][..], "root certificate"),
        ("other.example", std::slice::from_ref(&server.certificate), "other.example"),
    ] {
        let (client, _) = server.connected(host, roots).await;
        let error = client.unwrap_err();
        assert!(error.is_tls() && error.is_connect() && error.outcome() == Outcome::NotExecuted, "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused_with_what_to_do() {
    for (from, to, what) in [(2000, 2001, "the server must renew it"), (3000, 3001, "is this machine's clock right?")] {
        let server = Server::start_valid(from, to).await;
        let (client, _) = server.connected(HOST, std::slice::from_ref(&server.certificate)).await;
        let error = client.unwrap_err();
        assert!(error.is_tls() && error.to_string().contains(what), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_by_another_authority_of_the_same_name_is_refused_with_what_to_do() {
    let (server, another) = (Server::start().await, Server::start().await);
    let (client, _) = server.connected(HOST, &[another.certificate]).await;
    let error = client.unwrap_err();
    assert!(error.is_tls() && error.to_string().contains("name its root certificate"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut accepted, _) = listener.accept().await.unwrap();
    accepted.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let tls = client_config(&[Server::start().await.certificate], &[]).unwrap();
    let error = connect_tls(tls, HOST, tcp, &within_a_minute()).await.unwrap_err();
    assert!(error.is_tls() && error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    tcp.set_nonblocking(true).unwrap();
    let tcp = TcpStream::from_std(tcp).unwrap();
    let tls = client_config(&[Server::start().await.certificate], &[]).unwrap();
    let error = connect_tls(tls, HOST, tcp, &Deadline::after(Duration::from_secs(3))).await.unwrap_err();
    assert!(error.is_timeout() && error.outcome() == Outcome::NotExecuted, "{error:?}");
    assert_eq!(error.to_string(), format!("no TLS handshake with {HOST} within 3s"));
}

#[tokio::test]
async fn the_next_address_is_tried_where_one_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = listener.local_addr().unwrap();
    let addresses = [NOBODY.parse().unwrap(), good];
    let tcp = connect_any(&addresses, HOST, 443, &within_a_minute()).await.unwrap();
    assert_eq!(tcp.peer_addr().unwrap(), good);
    assert!(tcp.nodelay().unwrap());
    assert!(socket2::SockRef::from(&tcp).keepalive().unwrap());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_machine_that_falls_silent_is_noticed_within_a_minute() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = connect_any(&[listener.local_addr().unwrap()], HOST, 443, &within_a_minute()).await.unwrap();
    let socket = socket2::SockRef::from(&tcp);
    let minute = Duration::from_secs(60);
    assert!(socket.tcp_user_timeout().unwrap().is_some_and(|silence| silence <= minute));
    // The kernel looks whether the time is over when a probe is due.
    let [idle, pause] = [socket.tcp_keepalive_time().unwrap(), socket.tcp_keepalive_interval().unwrap()];
    assert!(idle + 3 * pause <= minute, "{idle:?} {pause:?}");
}

#[tokio::test]
async fn a_failed_connect_tells_every_address_it_tried() {
    let addresses = [NOBODY.parse().unwrap(), "[::1]:1".parse().unwrap()];
    let error = connect_any(&addresses, HOST, 443, &within_a_minute()).await.unwrap_err();
    assert!(error.is_connect() && error.outcome() == Outcome::NotExecuted, "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("no TCP connection to {HOST} port 443 (127.0.0.1:1: ")), "{text}");
    assert!(text.contains("; [::1]:1: "), "{text}");
}

#[tokio::test]
async fn no_timeout_at_all_can_be_asked_for() {
    let addresses = [NOBODY.parse().unwrap()];
    assert!(connect_any(&addresses, HOST, 443, &Deadline::after(Duration::MAX)).await.unwrap_err().is_connect());
    let error = connect_any(&addresses, HOST, 443, &Deadline::after(Duration::ZERO)).await.unwrap_err();
    assert!(error.is_connect(), "{error}");
}

#[test]
fn a_port_of_zero_is_the_urls() {
    let given = ["127.0.0.1:0", "127.0.0.1:5555", "[::1]:0"].map(|address| address.parse().unwrap());
    let filled: Vec<String> = with_port(&given, 443).iter().map(SocketAddr::to_string).collect();
    assert_eq!(filled, ["127.0.0.1:443", "127.0.0.1:5555", "[::1]:443"]);
}

#[test]
fn brackets_are_an_affair_of_urls() {
    assert_eq!(["[::1]", "::1", "db.example"].map(unbracketed), ["::1", "::1", "db.example"]);
}
