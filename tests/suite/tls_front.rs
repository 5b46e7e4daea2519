//! A server with TLS under any host's name, which notes how connections arrive and passes them on.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use pgferry::websocket::ByteStream;
use pgferry_test_support::TestCa;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional, split},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What stands behind the TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behind {
    /// A plain gateway, which is told everything, the request's head included.
    Gateway(SocketAddr),
    /// A Postgres server, which is told what comes through the WebSocket, whichever server its path names.
    Postgres(u16),
}

/// How a connection arrived.
#[derive(Clone, Default)]
pub(crate) struct Arrival {
    /// The name in the TLS handshake (SNI).
    pub(crate) server_name: Option<String>,
    /// The first request's line and headers.
    pub(crate) head: String,
    /// What the client then sent through a WebSocket to Postgres.
    pub(crate) sent: Vec<u8>,
}

impl Arrival {
    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// Returns the values of a header; names are lower-case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn sent_contains(&self, text: &str) -> bool {
        self.sent.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server_name, head, sent } = self;
        let sent = sent.escape_ascii().to_string();
        f.debug_struct("Arrival").field("server_name", server_name).field("head", head).field("sent", &sent).finish()
    }
}

/// The server; it ends when it is dropped.
pub(crate) struct TlsFront {
    pub(crate) address: SocketAddr,
    pub(crate) ca: TestCa,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    pub(crate) async fn start(names: &[&str], behind: Behind) -> Result<Self> {
        let ca = TestCa::new()?;
        let mut config = ca.server_config(names.iter().copied())?;
        // In HTTP/1.1 a request's head is text, and arrives as the client wrote it.
        Arc::make_mut(&mut config).alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(config);

        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let noted = arrivals.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, noted) = (acceptor.clone(), noted.clone());
                // A connection that breaks is what some of the tests are about.
                tokio::spawn(async move { serve(acceptor.accept(tcp).await?, behind, &noted).await });
            }
        });
        Ok(Self { address, ca, arrivals, accepting })
    }

    /// Returns the only connection there was.
    pub(crate) fn arrival(&self) -> Arrival {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let [arrival] = &arrivals[..] else { panic!("not one connection but {}", arrivals.len()) };
        arrival.clone()
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut client: TlsStream<TcpStream>, behind: Behind, noted: &Mutex<Vec<Arrival>>) -> Result<()> {
    let head = read_head(&mut client).await?;
    let server_name = client.get_ref().1.server_name().map(str::to_owned);
    let arrival = Arrival { server_name, head: head.clone(), sent: Vec::new() };
    let key = arrival.header("sec-websocket-key").first().copied().map(str::to_owned);
    let index = {
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push(arrival);
        noted.len() - 1
    };
    match behind {
        Behind::Gateway(address) => {
            let mut gateway = TcpStream::connect(address).await?;
            gateway.write_all(head.as_bytes()).await?;
            copy_bidirectional(&mut client, &mut gateway).await?;
        }
        Behind::Postgres(port) => {
            let accept = derive_accept_key(key.context("no WebSocket was asked for")?.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            client.write_all(answer.as_bytes()).await?;
            let (mut client_read, mut client_write) = split(ByteStream::accepted(client).await);
            let (mut postgres_read, mut postgres_write) = TcpStream::connect(("127.0.0.1", port)).await?.into_split();
            let up = async {
                let mut buffer = [0; 4096];
                loop {
                    let count = client_read.read(&mut buffer).await?;
                    if count == 0 {
                        return postgres_write.shutdown().await;
                    }
                    noted.lock().unwrap_or_else(PoisonError::into_inner)[index].sent.extend(&buffer[..count]);
                    postgres_write.write_all(&buffer[..count]).await?;
                }
            };
            let down = async {
                copy(&mut postgres_read, &mut client_write).await?;
                client_write.shutdown().await
            };
            tokio::try_join!(up, down)?;
        }
    }
    Ok(())
}

async fn read_head<S: AsyncRead + Unpin>(client: &mut S) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    String::from_utf8(head).map_err(io::Error::other)
}
