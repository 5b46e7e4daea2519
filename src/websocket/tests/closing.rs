use std::{io, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, split},
    time::Instant,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{
    super::{ByteStream, Close},
    foreign_server, pair, pattern, raw_server,
};

/// Shuts down and gives the stream back, so that it is not its drop that closes the connection.
async fn shut_down(mut stream: ByteStream<DuplexStream>) -> io::Result<ByteStream<DuplexStream>> {
    stream.shutdown().await?;
    assert_eq!(stream.read(&mut [0; 8]).await?, 0, "after a shutdown there is nothing to read");
    assert_eq!(stream.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    stream.shutdown().await?;
    Ok(stream)
}

#[tokio::test(start_paused = true)]
async fn shutting_down_flushes_says_goodbye_and_waits_for_the_answer() {
    let begin = Instant::now();
    let (mut client, mut server) = foreign_server(4096).await;
    client.write_all(b"Terminate").await.unwrap();
    let peer = async {
        let message = server.next().await.unwrap().unwrap();
        assert_eq!(message, Message::binary("Terminate"));
        let Some(Ok(Message::Close(Some(frame)))) = server.next().await else { panic!("no Close frame") };
        assert_eq!(frame.code, CloseCode::Normal);
        while server.next().await.is_some() {}
    };
    let (done, ()) = tokio::join!(shut_down(client), peer);
    done.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn both_ends_may_shut_down_whoever_begins() {
    let begin = Instant::now();
    let (client, server) = pair(4096).await;
    let (client, server) = tokio::join!(shut_down(client), shut_down(server));
    client.unwrap();
    server.unwrap();

    let (client, mut server) = pair(4096).await;
    let client = tokio::spawn(shut_down(client));
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(server.close().and_then(Close::code), Some(1000));
    server.shutdown().await.unwrap();
    client.await.unwrap().unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_the_close_is_given_up() {
    let begin = Instant::now();
    let (client, mut server) = raw_server().await;
    // It goes on sending, which is no answer either.
    server.write_all(&[0x82, 1, 5]).await.unwrap();
    let _client = shut_down(client).await.unwrap();
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).await.unwrap();
    assert_eq!(&rest[..2], [0x88, 0x82], "a Close frame, and the connection was closed");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_take_the_last_bytes_makes_the_shutdown_fail() {
    let begin = Instant::now();
    let (mut client, _server) = pair(10).await;
    client.write_all(&pattern(1000)).await.unwrap();
    assert_eq!(client.shutdown().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_leave_the_reader_waiting() {
    let (client, _server) = raw_server().await;
    let (mut read, mut write) = split(client);
    let reader = tokio::spawn(async move { read.read(&mut [0; 8]).await });
    // The reader waits before the shutdown begins, and the peer never answers.
    tokio::task::yield_now().await;
    write.shutdown().await.unwrap();
    assert_eq!(reader.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_an_end() {
    let (mut client, mut server) = foreign_server(4096).await;
    server.send(Message::binary("FATAL")).await.unwrap();
    drop(server);
    let mut data = Vec::new();
    client.read_to_end(&mut data).await.unwrap();
    assert_eq!(data, b"FATAL");
    assert!(client.close().is_none());
    assert_eq!(client.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    client.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_close_frame_is_an_end_or_an_error_by_its_code() {
    for (code, reason, is_end) in [
        (CloseCode::Normal, "bye", true),
        (CloseCode::Away, "restarting", true),
        (CloseCode::Error, "compute is gone", false),
        (CloseCode::Policy, "", false),
    ] {
        let (mut client, mut server) = foreign_server(4096).await;
        server.send(Message::binary("x")).await.unwrap();
        server.close(Some(CloseFrame { code, reason: reason.into() })).await.unwrap();
        let mut data = Vec::new();
        let result = client.read_to_end(&mut data).await;
        assert_eq!(data, b"x");
        let close = client.close().cloned().expect("the Close frame");
        assert_eq!((close.code(), close.reason()), (Some(code.into()), reason));
        match result {
            Ok(_) => assert!(is_end, "{close}"),
            Err(error) => {
                assert!(!is_end, "{close}");
                assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
                assert_eq!(error.get_ref().and_then(|inner| inner.downcast_ref()), Some(&close));
            }
        }
        let Some(Ok(Message::Close(_))) = server.next().await else { panic!("the Close was not answered") };
    }
}
