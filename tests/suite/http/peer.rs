//! Peers that fail in ways that a real gateway does only by accident. None of them plays Postgres.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// A request as its bytes arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    /// Returns the value of a header, which is named in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A listener that hands each connection to a closure; it and its connections end when it is dropped.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// How many requests were read whole.
    pub(crate) requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Peer {
    pub(crate) async fn start<F, G>(serve: F) -> Self
    where
        F: Fn(Connection) -> G + Send + 'static,
        G: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                connections.spawn(serve(Connection { tcp, requests: counter.clone() }));
            }
        });
        Self { address, requests, task }
    }

    /// Answers every request on a connection with these bytes.
    pub(crate) async fn answering(response: impl Into<Vec<u8>>) -> Self {
        let response: Arc<[u8]> = response.into().into();
        Self::start(move |mut connection| {
            let response = response.clone();
            async move {
                while connection.request().await?.is_some() {
                    connection.tcp.write_all(&response).await?;
                }
                Ok(())
            }
        })
        .await
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) struct Connection {
    pub(crate) tcp: TcpStream,
    requests: Arc<AtomicUsize>,
}

impl Connection {
    /// Reads a request of HTTP/1.1, or `None` when the client has closed the connection.
    pub(crate) async fn request(&mut self) -> io::Result<Option<Received>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.tcp.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let mut received = Received { head: String::from_utf8(head).unwrap(), body: String::new() };
        let length = received.header("content-length").expect("a length").parse().unwrap();
        let mut body = vec![0; length];
        self.tcp.read_exact(&mut body).await?;
        received.body = String::from_utf8(body).unwrap();
        self.requests.fetch_add(1, Ordering::SeqCst);
        Ok(Some(received))
    }

    /// Closes the connection so that the client sees a reset instead of an end.
    pub(crate) fn reset(self) -> io::Result<()> {
        self.tcp.set_zero_linger()
    }
}

/// Returns a response of HTTP/1.1 with a request id.
pub(crate) fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nneon-request-id: r-1\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Makes a certificate for a host name, and what serves it with HTTP/2.
pub(crate) fn tls(host: &str) -> (CertificateDer<'static>, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([host.to_owned()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut server = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec()];
    (certificate.der().clone(), TlsAcceptor::from(Arc::new(server)))
}
