//! The HTTP client against peers that fail, byte by byte.

mod http2;
mod peer;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake},
    time::Duration,
};

use pgferry::{
    Config, Outcome,
    config::Credential,
    http::{BatchOptions, Client, Event, IsolationLevel, Param, Query, Request, Statement},
};
use tokio::{
    io::AsyncWriteExt,
    sync::{mpsc, oneshot},
};

use peer::{Peer, Received, response, tls};

const ROW: &str = concat!(
    r#"{"fields":[{"name":"n","dataTypeID":25,"tableID":0,"columnID":0,"dataTypeSize":-1,"dataTypeModifier":-1,"format":"text"}],"#,
    r#""rows":[["1"]],"command":"SELECT","rowCount":1,"rowAsArray":true}"#
);

/// The start of a response that goes on with rows.
const FIELDS: &str = r#"{"fields":[{"name":"n","dataTypeID":25}],"rows":["#;

fn config(peer: &Peer) -> Config {
    Config::new()
        .host("127.0.0.1")
        .user("app")
        .password("t/h@row:away")
        .dbname("appdb")
        .http_url(format!("http://{}/sql", peer.address))
        .request_timeout(Some(Duration::from_secs(30)))
}

fn client(peer: &Peer) -> Client {
    Client::new(&config(peer)).unwrap()
}

/// Starts a peer that answers with one row and hands over what it received.
async fn recording() -> (Peer, mpsc::UnboundedReceiver<Received>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let peer = Peer::start(move |mut connection| {
        let sender = sender.clone();
        async move {
            while let Some(received) = connection.request().await? {
                let body = match received.body.starts_with(r#"{"queries""#) {
                    true => format!(r#"{{"results":[{ROW}]}}"#),
                    false => ROW.to_owned(),
                };
                sender.send(received).unwrap();
                connection.tcp.write_all(response("200 OK", &body).as_bytes()).await?;
            }
            Ok(())
        }
    })
    .await;
    (peer, receiver)
}

#[tokio::test]
async fn a_query_is_sent_as_text_and_asks_for_text() {
    let (peer, mut received) = recording().await;
    let row = client(&peer).query_one("SELECT $1, $2", &["a \"b\"".into(), Param::NULL]).await.unwrap();
    assert_eq!(row.get::<i32>("n").unwrap(), 1);

    let request = received.recv().await.unwrap();
    assert!(request.head.starts_with("POST /sql HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.body, r#"{"query":"SELECT $1, $2","params":["a \"b\"",null]}"#);
    assert_eq!(request.header("neon-raw-text-output"), Some("true"));
    assert_eq!(request.header("neon-array-mode"), Some("true"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("neon-batch-read-only"), None);
    let url = request.header("neon-connection-string").unwrap();
    assert!(url.contains("app:t%2Fh%40row%3Aaway@127.0.0.1"), "{url}");
}

#[tokio::test]
async fn a_batch_names_its_transaction_in_headers() {
    let (peer, mut received) = recording().await;
    let options = BatchOptions::new().isolation_level(IsolationLevel::RepeatableRead).read_only(true).deferrable(true);
    let results = client(&peer).batch(&[Query::new("SELECT $1").bind("x")], options).await.unwrap();
    assert_eq!((results.len(), results[0].command(), results[0].row_count()), (1, "SELECT", Some(1)));
    assert_eq!(results[0].request_id(), Some("r-1"));

    let request = received.recv().await.unwrap();
    assert_eq!(request.body, r#"{"queries":[{"query":"SELECT $1","params":["x"]}]}"#);
    assert_eq!(request.header("neon-batch-isolation-level"), Some("RepeatableRead"));
    assert_eq!(request.header("neon-batch-read-only"), Some("true"));
    assert_eq!(request.header("neon-batch-deferrable"), Some("true"));
}

#[tokio::test]
async fn a_token_is_asked_for_with_each_request() {
    #[derive(Default)]
    struct Tokens(AtomicUsize);

    #[async_trait::async_trait]
    impl pgferry::config::CredentialProvider for Tokens {
        async fn credential(&self) -> Result<Credential, Box<dyn std::error::Error + Send + Sync>> {
            let count = self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Credential::Bearer(format!("token-{count}").into()))
        }
    }

    let (peer, mut received) = recording().await;
    let client = Client::new(&config(&peer).credential_provider(Arc::new(Tokens::default()))).unwrap();
    for expected in ["Bearer token-0", "Bearer token-1"] {
        client.query("SELECT", &[]).await.unwrap();
        let request = received.recv().await.unwrap();
        assert_eq!(request.header("authorization"), Some(expected));
        assert!(!request.header("neon-connection-string").unwrap().contains("away"));
    }
}

#[tokio::test]
async fn an_error_has_all_that_the_server_said_and_the_request_id() {
    let body = r#"{"message":"no","code":"23505","detail":"d","constraint":"users_email_key","severity":"ERROR"}"#;
    let peer = Peer::answering(response("400 Bad Request", body)).await;
    let error = client(&peer).execute("INSERT", &[]).await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint.as_deref(), Some("users_email_key"));
    assert_eq!((error.outcome(), error.request_id()), (Outcome::Failed, Some("r-1")));

    let peer = Peer::answering(response("502 Bad Gateway", "<h1>Bad Gateway</h1>")).await;
    let error = client(&peer).execute("INSERT", &[]).await.unwrap_err();
    assert_eq!((error.outcome(), error.status(), error.request_id()), (Outcome::Unknown, Some(502), Some("r-1")));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let peer = Peer::answering("HTTP/1.1 307 Temporary Redirect\r\nlocation: /sql\r\ncontent-length: 0\r\n\r\n").await;
    let error = client(&peer).query("SELECT", &[]).await.unwrap_err();
    assert!(error.message().contains("http_url"), "{error}");
    assert_eq!((error.outcome(), peer.requests()), (Outcome::NotExecuted, 1));
}

#[tokio::test]
async fn nobody_there_means_nothing_was_executed() {
    let peer = Peer::answering("").await;
    let client = client(&peer);
    drop(peer);
    // The listener is gone as soon as its task has ended.
    let error = loop {
        let error = client.query("SELECT", &[]).await.unwrap_err();
        if error.is_connect() {
            break error;
        }
    };
    assert_eq!(error.outcome(), Outcome::NotExecuted);
}

#[tokio::test]
async fn a_connection_lost_after_the_request_leaves_the_outcome_unknown_and_nothing_is_sent_twice() {
    // The first request on each connection is answered, so that the second meets a connection that was in use before.
    let peer = Peer::start(|mut connection| async move {
        connection.request().await?;
        connection.tcp.write_all(response("200 OK", ROW).as_bytes()).await?;
        connection.request().await?;
        connection.reset()
    })
    .await;
    let client = client(&peer);
    client.query("SELECT", &[]).await.unwrap();
    let error = client.execute("UPDATE", &[]).await.unwrap_err();
    assert!(error.is_closed(), "{error:?}");
    assert_eq!((error.outcome(), peer.requests()), (Outcome::Unknown, 2));
}

#[tokio::test]
async fn a_connection_closed_between_requests_is_replaced() {
    let peer = Peer::start(|mut connection| async move {
        connection.request().await?;
        connection.tcp.write_all(response("200 OK", ROW).as_bytes()).await
    })
    .await;
    let client = client(&peer);
    let (mut sent, mut answered) = (0, 0);
    while answered < 3 {
        sent += 1;
        assert!(sent < 1000, "after {answered} answers no connection came in place of the closed one");
        match client.query("SELECT", &[]).await {
            Ok(_) => answered += 1,
            // The close may cross a request on its way; then it is not known what became of it, and it is not sent again.
            Err(error) => assert!(error.is_closed(), "{error:?}"),
        }
        assert!(peer.requests() <= sent);
    }
}

#[tokio::test]
async fn a_response_cut_short_is_noticed() {
    let whole = response("200 OK", ROW);
    for missing in [1, 40, ROW.len()] {
        let bytes = whole.as_bytes()[..whole.len() - missing].to_vec();
        let peer = Peer::start(move |mut connection| {
            let bytes = bytes.clone();
            async move {
                connection.request().await?;
                connection.tcp.write_all(&bytes).await
            }
        })
        .await;
        let error = client(&peer).query("SELECT", &[]).await.unwrap_err();
        assert!(error.is_closed(), "{error:?}");
        assert_eq!((error.outcome(), error.request_id()), (Outcome::Unknown, Some("r-1")));
    }
}

#[tokio::test]
async fn a_request_beyond_the_limit_is_not_sent() {
    let peer = Peer::answering(response("200 OK", ROW)).await;
    let client = Client::new(&config(&peer).max_request_size(100)).unwrap();
    let error = client.query("SELECT $1", &["x".repeat(100).into()]).await.unwrap_err();
    assert!(error.is_limit(), "{error:?}");
    assert_eq!((error.outcome(), peer.requests()), (Outcome::NotExecuted, 0));
    client.query("SELECT $1", &["x".into()]).await.unwrap();
}

#[tokio::test]
async fn headers_beyond_what_servers_take_are_not_sent() {
    let peer = Peer::answering(response("200 OK", ROW)).await;
    let client = Client::new(&config(&peer).password("x".repeat(16 * 1024))).unwrap();
    let error = client.query("SELECT", &[]).await.unwrap_err();
    assert!(error.is_limit(), "{error:?}");
    assert_eq!((error.outcome(), peer.requests()), (Outcome::NotExecuted, 0));
}

#[tokio::test]
async fn a_response_beyond_the_limit_is_not_read() {
    // Announced: not a byte of it needs to come.
    let announced = "HTTP/1.1 200 OK\r\nneon-request-id: r-1\r\ncontent-length: 1000000\r\n\r\n";
    // Not announced: it goes on for ever.
    let endless = Peer::start(|mut connection| async move {
        connection.request().await?;
        connection.tcp.write_all(b"HTTP/1.1 200 OK\r\nneon-request-id: r-1\r\n\r\n").await?;
        connection.tcp.write_all(FIELDS.as_bytes()).await?;
        loop {
            connection.tcp.write_all(br#"["row"],"#).await?;
        }
    })
    .await;
    for peer in [Peer::answering(announced).await, endless] {
        let client = Client::new(&config(&peer).max_response_size(10_000)).unwrap();
        let error = client.query("SELECT", &[]).await.unwrap_err();
        assert!(error.is_limit(), "{error:?}");
        assert_eq!((error.outcome(), error.request_id()), (Outcome::Unknown, Some("r-1")));
    }
}

#[tokio::test]
async fn a_deadline_covers_the_head_and_the_body() {
    let silent = Peer::start(|mut connection| async move {
        connection.request().await?;
        connection.request().await.map(drop)
    })
    .await;
    let stuck = Peer::start(|mut connection| async move {
        connection.request().await?;
        connection.tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{").await?;
        connection.request().await.map(drop)
    })
    .await;
    for peer in [silent, stuck] {
        let client = client(&peer).with_timeout(Some(Duration::from_millis(100)));
        let error = client.query("SELECT", &[]).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
}

#[tokio::test]
async fn a_deadline_during_the_tls_handshake_means_nothing_was_executed() {
    let peer = Peer::start(|mut connection| async move { connection.request().await.map(drop) }).await;
    let (certificate, _) = tls("db.example.test");
    let config = tls_config(&peer, certificate).request_timeout(Some(Duration::from_millis(100)));
    let error = Client::new(&config).unwrap().query("SELECT", &[]).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
}

#[tokio::test]
async fn dropping_a_request_or_its_results_closes_the_connection() {
    let (sender, mut ends) = mpsc::unbounded_channel();
    let peer = Peer::start(move |mut connection| {
        let sender = sender.clone();
        async move {
            connection.request().await?;
            connection.tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            connection.tcp.write_all(FIELDS.as_bytes()).await?;
            // Ends when the client's end is closed, and not before.
            let end = connection.request().await;
            sender.send(end.map(|received| received.is_some())).unwrap();
            Ok(())
        }
    })
    .await;
    let client = client(&peer);
    let mut results = client.stream(Request::Single(Statement::new("SELECT"))).await.unwrap();
    assert!(matches!(results.next().await, Ok(Some(Event::Fields(_)))));
    drop(results);
    assert!(!matches!(ends.recv().await, Some(Ok(true))));

    let query = tokio::spawn({
        let client = client.clone();
        async move { client.query("SELECT", &[]).await.map(drop) }
    });
    while peer.requests() < 2 {
        tokio::task::yield_now().await;
    }
    query.abort();
    assert!(!matches!(ends.recv().await, Some(Ok(true))));
}

#[tokio::test]
async fn results_that_are_not_read_hold_the_server_back() {
    const TOTAL: usize = 512 * 1024 * 1024;
    let (sender, written) = oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let peer = Peer::start(move |mut connection| {
        let sender = sender.lock().unwrap().take();
        async move {
            connection.request().await?;
            connection.tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            connection.tcp.write_all(FIELDS.as_bytes()).await?;
            let mut written = 0;
            let rows = r#"["row"],"#.repeat(8192);
            while written < TOTAL && connection.tcp.write_all(rows.as_bytes()).await.is_ok() {
                written += rows.len();
            }
            sender.unwrap().send(written).unwrap();
            Ok(())
        }
    })
    .await;
    let client = Client::new(&config(&peer).max_response_size(usize::MAX)).unwrap();
    let mut results = client.stream(Request::Single(Statement::new("SELECT"))).await.unwrap();
    assert!(matches!(results.next().await, Ok(Some(Event::Fields(_)))));
    assert!(matches!(results.next().await, Ok(Some(Event::Row(_)))));
    drop(results);
    assert!(written.await.unwrap() < TOTAL);
}

#[test]
fn no_executor_of_the_callers_is_needed() {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let peer = serving.block_on(Peer::answering(response("200 OK", ROW)));
    let client = client(&peer);
    let mut query = pin!(client.query("SELECT", &[]));
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let rows = loop {
        match query.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(rows) => break rows.unwrap(),
            Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(rows.len(), 1);
}

fn tls_config(peer: &Peer, certificate: rustls_pki_types::CertificateDer<'static>) -> Config {
    Config::new()
        .host("db.example.test")
        .user("app")
        .password("throwaway")
        .dbname("appdb")
        .addresses([peer.address])
        .root_certificates([certificate])
        .request_timeout(Some(Duration::from_secs(30)))
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let (certificate, acceptor) = tls("other.example.test");
    let peer = Peer::start(move |connection| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(connection.tcp).await.map(drop) }
    })
    .await;
    let error = Client::new(&tls_config(&peer, certificate)).unwrap().query("SELECT", &[]).await.unwrap_err();
    assert!(error.is_tls() && error.is_connect(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
}
