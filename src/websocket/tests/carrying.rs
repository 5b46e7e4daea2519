use std::{io, task::Poll, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

use super::{super::ByteStream, foreign_server, pair, pattern, polled, raw_server};

async fn write_in_pieces<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) {
    let mut rest = bytes;
    for size in [1, 2, 3, 5, 1021, 4096, 65_535, 65_536, 65_537, 7].into_iter().cycle() {
        let (piece, after) = rest.split_at(rest.len().min(size));
        stream.write_all(piece).await.unwrap();
        if size % 2 == 1 {
            stream.flush().await.unwrap();
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    stream.flush().await.unwrap();
}

async fn read_in_pieces<S: AsyncRead + Unpin>(stream: &mut S, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    for piece in [3, 1, 1000, 70_000].into_iter().cycle() {
        let mut buffer = vec![0; piece.min(size - bytes.len())];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0 || bytes.len() == size, "the stream ended after {} bytes", bytes.len());
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.len() == size {
            break;
        }
    }
    bytes
}

#[tokio::test]
async fn carries_bytes_both_ways_at_once_in_whatever_pieces() {
    const SIZE: usize = 400_000;
    for pipe in [1, 7, 1000, 1 << 20] {
        let size = if pipe == 1 { 5000 } else { SIZE };
        let (client, server) = pair(pipe).await;
        let (sent, answered) = (pattern(size), pattern(size + 1));
        let (mut client_read, mut client_write) = split(client);
        let (mut server_read, mut server_write) = split(server);
        let (_, _, at_server, at_client) = tokio::join!(
            write_in_pieces(&mut client_write, &sent),
            write_in_pieces(&mut server_write, &answered),
            read_in_pieces(&mut server_read, size),
            read_in_pieces(&mut client_read, size + 1),
        );
        assert!(at_server == sent && at_client == answered, "bytes changed over a pipe of {pipe} bytes");
    }
}

#[tokio::test]
async fn collects_writes_into_one_frame_until_flushed() {
    let (mut client, mut server) = foreign_server(4096).await;
    for part in ["star", "tup", "+password"] {
        client.write_all(part.as_bytes()).await.unwrap();
    }
    assert!(polled(server.next()).is_pending(), "nothing is sent before the flush");
    client.flush().await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), Message::binary("startup+password"));
    client.flush().await.unwrap();
    assert!(polled(server.next()).is_pending(), "a flush of nothing sends nothing");
}

#[tokio::test]
async fn splits_a_long_write_into_frames() {
    let (mut client, mut server) = foreign_server(1 << 20).await;
    let bytes = pattern(200_000);
    client.write_all(&bytes).await.unwrap();
    client.flush().await.unwrap();
    let mut frames = Vec::new();
    for _ in 0..4 {
        frames.push(server.next().await.unwrap().unwrap().into_data());
    }
    assert_eq!(frames.iter().map(|frame| frame.len()).collect::<Vec<_>>(), [65_536, 65_536, 65_536, 3392]);
    assert!(frames.concat() == bytes);
}

#[tokio::test]
async fn a_writer_waits_for_a_slow_reader() {
    let (mut client, mut server) = pair(1000).await;
    let bytes = pattern(1_000_000);
    let mut taken = 0;
    while let Poll::Ready(count) = polled(client.write(&bytes[taken..])) {
        taken += count.unwrap();
    }
    // A frame on its way, one being collected, and the pipe.
    assert!(taken <= 2 * 65_536 + 1000, "{taken} bytes were taken though nobody reads");

    let (_, at_server) = tokio::join!(
        async {
            client.write_all(&bytes[taken..]).await.unwrap();
            client.flush().await.unwrap();
        },
        read_in_pieces(&mut server, bytes.len()),
    );
    assert!(at_server == bytes);
}

#[tokio::test]
async fn a_flood_of_pings_neither_fills_memory_nor_stops_data() {
    let (mut client, server) = foreign_server(2000).await;
    let (mut write, mut read) = server.split();
    let pings = tokio::spawn(async move {
        for _ in 0..20_000 {
            write.send(Message::Ping(vec![7; 125].into())).await.unwrap();
        }
        write.send(Message::binary("done")).await.unwrap();
    });
    // Nobody takes the pongs, so they must be dropped rather than kept.
    let mut answer = [0; 4];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"done");
    pings.await.unwrap();

    client.write_all(&pattern(65_536)).await.unwrap();
    let mut pongs = 0;
    let (flushed, data) = tokio::join!(client.flush(), async {
        loop {
            match read.next().await.unwrap().unwrap() {
                Message::Binary(data) => break data,
                _ => pongs += 1,
            }
        }
    });
    flushed.unwrap();
    assert_eq!(data.len(), 65_536);
    assert!(pongs * 131 < 150_000, "{pongs} pongs were kept");
}

#[tokio::test]
async fn answers_a_ping_while_reading_and_passes_over_pongs() {
    let (mut client, mut server) = foreign_server(4096).await;
    server.send(Message::Pong(vec![1].into())).await.unwrap();
    server.send(Message::Ping(vec![2].into())).await.unwrap();
    server.send(Message::binary("data")).await.unwrap();
    let mut data = [0; 4];
    client.read_exact(&mut data).await.unwrap();
    assert_eq!(&data, b"data");
    assert_eq!(server.next().await.unwrap().unwrap(), Message::Pong(vec![2].into()));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_not_asked_for_a_sign_of_life() {
    let (mut client, mut server) = foreign_server(4096).await;
    let mut byte = [0];
    let silent = tokio::time::timeout(Duration::from_secs(3600), client.read(&mut byte));
    assert!(silent.await.is_err());
    assert!(polled(server.next()).is_pending());
}

#[tokio::test]
async fn empty_and_fragmented_messages_are_bytes_like_any_other() {
    let (mut client, mut server) = raw_server().await;
    // Empty; "ab" in a first fragment, a ping between, "c" in the last one.
    server.write_all(&[0x82, 0, 0x02, 2, b'a', b'b', 0x89, 0, 0x80, 1, b'c']).await.unwrap();
    let mut data = [0; 3];
    client.read_exact(&mut data).await.unwrap();
    assert_eq!(&data, b"abc");
}

#[tokio::test]
async fn a_text_frame_is_an_error_that_stays() {
    let (mut client, mut server) = foreign_server(4096).await;
    server.send(Message::text("SELECT 1")).await.unwrap();
    server.send(Message::binary("late")).await.unwrap();
    for _ in 0..2 {
        let error = client.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("binary frames only"), "{error}");
    }
    assert_eq!(client.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    let Some(Ok(Message::Close(Some(frame)))) = server.next().await else { panic!("no Close frame") };
    assert_eq!(frame.code, CloseCode::Unsupported);
}

#[tokio::test]
async fn a_broken_protocol_is_an_error() {
    let frames: [(&str, &[u8]); 5] = [
        ("a masked frame from a server", &[0x82, 0x81, 1, 2, 3, 4, 5]),
        ("a reserved bit", &[0xC2, 1, 5]),
        ("a continuation of nothing", &[0x80, 1, 5]),
        ("an unknown opcode", &[0x83, 1, 5]),
        ("a long ping", &[0x89, 126, 0, 126]),
    ];
    for (what, frame) in frames {
        let (mut client, mut server) = raw_server().await;
        server.write_all(frame).await.unwrap();
        server.write_all(&[0; 126]).await.unwrap();
        let error = client.read(&mut [0; 8]).await.expect_err(what);
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{what}: {error}");
    }
}

#[tokio::test]
async fn a_frame_beyond_the_limit_is_refused_by_its_header() {
    let (mut client, mut server) = raw_server().await;
    let mut header = vec![0x82, 127];
    header.extend_from_slice(&u64::MAX.to_be_bytes());
    server.write_all(&header).await.unwrap();
    let error = client.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let mut close = [0; 2];
    server.read_exact(&mut close).await.unwrap();
    assert_eq!(close, [0x88, 0x82], "a Close frame with a code, masked");
}

#[tokio::test]
async fn an_unmasked_frame_from_a_client_is_an_error() {
    let (mut client, server) = duplex(100);
    let mut server = ByteStream::accepted(server).await;
    client.write_all(&[0x82, 1, 5]).await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn debug_shows_no_bytes() {
    let (mut client, mut server) = pair(4096).await;
    client.write_all(b"hunter2").await.unwrap();
    client.flush().await.unwrap();
    server.read_exact(&mut [0; 1]).await.unwrap();
    client.write_all(b"hunter2").await.unwrap();
    for text in [format!("{client:?}"), format!("{server:?}")] {
        assert!(!text.contains("hunter") && !text.contains("104, 117"), "{text}");
    }
}
