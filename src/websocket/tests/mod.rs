//! A client and a server over a pipe: no network, no Postgres, and no clock but tokio's own, paused.

mod carrying;
mod closing;
mod upgrading;

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncReadExt, DuplexStream, duplex};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use super::{ByteStream, connect_on};

/// A client and a server of ours, over a pipe that holds `size` bytes each way.
async fn pair(size: usize) -> (ByteStream<DuplexStream>, ByteStream<DuplexStream>) {
    let (client, server) = duplex(size);
    (ByteStream::new(client, Vec::new(), Role::Client).await, ByteStream::accepted(server).await)
}

/// A client of ours, upgraded, and a server of the library's own.
async fn foreign_server(size: usize) -> (ByteStream<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (client, server) = duplex(size);
    let url = "ws://db.example/v2".parse().unwrap();
    let (client, server) = tokio::join!(connect_on(client, &url), accept_async(server));
    (client.unwrap(), server.unwrap())
}

/// A client of ours whose server is whatever the test writes.
async fn raw_server() -> (ByteStream<DuplexStream>, DuplexStream) {
    let (client, server) = duplex(64 * 1024);
    (ByteStream::new(client, Vec::new(), Role::Client).await, server)
}

/// What a future gives without being waited for.
fn polled<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Bytes that show a loss, a repetition and a swap alike.
fn pattern(size: usize) -> Vec<u8> {
    (0..size as u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(size).collect()
}

/// Reads an upgrade request; gives its key and its text.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> (String, String) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key").to_owned();
    (key, request)
}

fn accepting(key: &str) -> String {
    let accept = derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    )
}
