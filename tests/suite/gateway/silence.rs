//! Clients that stop in the middle of what they have to say are not waited for.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Fixture, PATIENCE};

/// What the gateway answers before it closes the connection of a client that says this and no more.
async fn answer_to(said: &[u8]) -> Result<String> {
    let fixture = Fixture::start_with(|config| config.client_timeout(Duration::from_millis(100))).await?;
    let mut tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
    tcp.write_all(said).await?;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.context("waited for for ever")?;
    // A connection may be reset as well.
    read.or_else(|error| if error.kind() == std::io::ErrorKind::ConnectionReset { Ok(0) } else { Err(error) })?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn before_a_request() -> Result<()> {
    assert_eq!(answer_to(b"").await?, "");
    Ok(())
}

#[tokio::test]
async fn within_the_preface_of_http2() -> Result<()> {
    assert_eq!(answer_to(b"PRI * HTTP/2").await?, "");
    Ok(())
}

#[tokio::test]
async fn within_a_head() -> Result<()> {
    answer_to(b"POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Conn").await?;
    Ok(())
}

#[tokio::test]
async fn within_a_body() -> Result<()> {
    let request = "POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Connection-String: postgresql://app:x@localhost/app\r\nContent-Length: 100\r\n\r\n{\"query\":";
    let answer = answer_to(request.as_bytes()).await?;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    Ok(())
}

#[tokio::test]
async fn over_http2() -> Result<()> {
    // The preface and an empty SETTINGS frame, after which no PING is answered.
    answer_to(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await?;
    Ok(())
}
