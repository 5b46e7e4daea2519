use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{
    super::{ByteStream, connect_on},
    accepting, read_request,
};
use crate::{Error, Outcome};

#[tokio::test]
async fn frames_sent_with_the_upgrade_are_not_lost() {
    let (client, mut server) = duplex(4096);
    let answering = async {
        let (key, _) = read_request(&mut server).await;
        let mut answer = accepting(&key).into_bytes();
        answer.extend_from_slice(&[0x82, 2, b'h', b'i']);
        server.write_all(&answer).await.unwrap();
    };
    let url = "ws://db.example/".parse().unwrap();
    let (client, ()) = tokio::join!(connect_on(client, &url), answering);
    let mut data = [0; 2];
    client.unwrap().read_exact(&mut data).await.unwrap();
    assert_eq!(&data, b"hi");

    let (sender, mut early) = duplex(4096);
    let mut sender = ByteStream::new(sender, Vec::new(), Role::Client).await;
    sender.write_all(b"startup").await.unwrap();
    sender.flush().await.unwrap();
    // A masked frame of seven bytes has a header of six; the server's HTTP side has read past it already.
    let mut frame = vec![0; 10];
    early.read_exact(&mut frame).await.unwrap();
    let mut server = ByteStream::accepted_with(early, frame).await;
    let mut data = [0; 7];
    server.read_exact(&mut data).await.unwrap();
    assert_eq!(&data, b"startup");
}

/// Has a server answer the upgrade with what `answer` makes of the key, in these pieces; gives the client's error.
async fn refused(answer: impl Fn(&str) -> Vec<String>) -> Error {
    let (client, mut server) = duplex(1 << 20);
    let url = "wss://db.example:8443/v2?address=secret".parse().unwrap();
    let answering = async {
        let (key, _) = read_request(&mut server).await;
        for piece in answer(&key) {
            server.write_all(piece.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        server.shutdown().await.unwrap();
    };
    let (client, ()) = tokio::join!(connect_on(client, &url), answering);
    let error = client.expect_err("a refusal");
    assert!(error.is_connect() && error.outcome() == Outcome::NotExecuted, "{error:?}");
    assert!(error.to_string().contains("db.example/v2") && !error.to_string().contains("secret"), "{error}");
    error
}

#[tokio::test]
async fn a_refused_upgrade_tells_the_status_and_what_the_server_said() {
    let error = refused(|_| vec!["HTTP/1.1 403 Forb".into(), "idden\r\n\r\n".into(), "wrong\r\norigin".into()]).await;
    assert!(error.to_string().ends_with("with 403 Forbidden: wrong origin"), "{error}");

    let error = refused(|_| vec!["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi, this is not the body".into()]).await;
    assert!(error.to_string().ends_with("with 200 OK: hi"), "{error}");

    let error = refused(|_| vec!["HTTP/1.1 502 Bad Gateway\r\n\r\n".into(), "x".repeat(100_000)]).await;
    assert!(error.to_string().len() < 600, "{error}");
    assert_eq!(error.status(), Some(502));
}

#[tokio::test]
async fn a_refused_upgrade_tells_what_the_service_said_without_its_json() {
    let said = |body: &'static str| {
        move |_: &str| {
            vec![format!("HTTP/1.1 500 Internal Server Error\r\ncontent-length: {}\r\n\r\n{body}", body.len())]
        }
    };
    for (body, words) in [
        (r#"{"message":"Too many connections","code":"","severity":"","detail":null}"#, "Too many connections"),
        (r#"{"message":"no\u001b[2J way","hint":"start it"}"#, "no [2J way\nhint: start it"),
        (r#"{"msg":"rate limit exceeded"}"#, "rate limit exceeded"),
        (r#""query is not supported""#, "query is not supported"),
        (r#"{"error":"another's"}"#, r#"{"error":"another's"}"#),
    ] {
        let error = refused(said(body)).await;
        assert!(error.to_string().ends_with(&format!("with 500 Internal Server Error: {words}")), "{error}");
        assert_eq!((error.status(), error.sql_state().as_str()), (Some(500), "08001"));
    }
}

#[tokio::test]
async fn a_wrong_answer_to_the_upgrade_is_refused() {
    let without = |name: &'static str| {
        move |key: &str| {
            vec![
                accepting(key)
                    .lines()
                    .filter(|line| !line.starts_with(name))
                    .fold(String::new(), |all, line| all + line + "\r\n"),
            ]
        }
    };
    let with = |header: &'static str| move |key: &str| vec![accepting(key).replace("\r\n\r\n", header)];

    for (error, what) in [
        (refused(without("upgrade")).await, "Upgrade"),
        (refused(without("connection")).await, "Connection"),
        (refused(without("sec-websocket-accept")).await, "Accept"),
        (refused(|_| vec![accepting("another")]).await, "Accept"),
        (refused(with("\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n")).await, "extension"),
        (refused(with("\r\nsec-websocket-protocol: postgres\r\n\r\n")).await, "subprotocol"),
        (refused(|_| vec!["SSH-2.0-OpenSSH_9.2\r\n".into()]).await, "not HTTP"),
        (refused(|_| vec![]).await, "closed the connection"),
        (refused(|_| vec!["HTTP/1.1 101 Switching Protocols\r\nx: ".into(), "y".repeat(50_000)]).await, "no end"),
    ] {
        assert!(error.to_string().contains(what), "{what}: {error}");
    }
}

#[tokio::test]
async fn the_request_asks_for_nothing_but_a_websocket() {
    let (client, mut server) = duplex(4096);
    let url = "wss://ep-1.example:8443/v2?address=ep-1.example:5432#part".parse().unwrap();
    let answering = async {
        let (key, request) = read_request(&mut server).await;
        server.write_all(accepting(&key).as_bytes()).await.unwrap();
        (key, request)
    };
    let (client, (key, request)) = tokio::join!(connect_on(client, &url), answering);
    client.unwrap();
    let expected = format!(
        "GET /v2?address=ep-1.example:5432 HTTP/1.1\r\nHost: ep-1.example:8443\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    );
    assert_eq!(request, expected);
}
