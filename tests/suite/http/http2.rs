//! What only HTTP/2 can do: share a connection, refuse one stream of it, shut down while a stream goes on.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use pgferry::{
    Outcome,
    http::{Client, Event, Request, Statement},
};
use tokio::sync::mpsc;

use super::{
    FIELDS, ROW,
    peer::{Peer, tls},
    tls_config,
};

type Respond = h2::server::SendResponse<Bytes>;

/// Serves HTTP/2 over TLS: the closure answers each request, and is told how many there were before it.
async fn http2<F>(serve: F) -> (Client, Arc<AtomicUsize>, Peer)
where
    F: Fn(usize, http::Request<h2::RecvStream>, Respond) + Clone + Send + Sync + 'static,
{
    let (certificate, acceptor) = tls("db.example.test");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let peer = Peer::start(move |connection| {
        let (acceptor, serve, counter) = (acceptor.clone(), serve.clone(), counter.clone());
        async move {
            let tls = acceptor.accept(connection.tcp).await?;
            let mut http = h2::server::handshake(tls).await.map_err(std::io::Error::other)?;
            while let Some(request) = http.accept().await {
                let (request, respond) = request.map_err(std::io::Error::other)?;
                serve(counter.fetch_add(1, Ordering::SeqCst), request, respond);
            }
            Ok(())
        }
    })
    .await;
    (Client::new(&tls_config(&peer, certificate)).unwrap(), count, peer)
}

fn answer(mut respond: Respond) {
    let mut body = respond.send_response(http::Response::new(()), false).unwrap();
    body.send_data(Bytes::from_static(ROW.as_bytes()), true).unwrap();
}

#[tokio::test]
async fn the_host_of_the_url_is_named_and_not_the_address() {
    let (client, _, _peer) = http2(|_, request, respond| {
        assert_eq!(request.uri().to_string(), "https://db.example.test/sql");
        answer(respond);
    })
    .await;
    client.query("SELECT", &[]).await.unwrap();
}

#[tokio::test]
async fn unread_results_do_not_stop_other_requests_of_their_connection() {
    // More than the connection windows that HTTP/2 libraries default to can hold.
    const UNREAD: usize = 8;
    const AHEAD: usize = 768 * 1024;
    let (sender, mut ahead) = mpsc::unbounded_channel();
    let (client, _, _peer) = http2(move |before, _, mut respond| {
        if !(1..=UNREAD).contains(&before) {
            return answer(respond);
        }
        let sender = sender.clone();
        tokio::spawn(async move {
            let rows = Bytes::from(r#"["row"],"#.repeat(8192));
            let mut body = respond.send_response(http::Response::new(()), false).unwrap();
            body.send_data(Bytes::from_static(FIELDS.as_bytes()), false).unwrap();
            let mut sent = 0;
            loop {
                body.reserve_capacity(rows.len());
                let Some(Ok(capacity)) = poll_fn(|cx| body.poll_capacity(cx)).await else { return };
                let at = sent % rows.len();
                let part = rows.slice(at..rows.len().min(at + capacity));
                if (sent..sent + part.len()).contains(&AHEAD) {
                    // The test may have ended.
                    let _ = sender.send(());
                }
                sent += part.len();
                if body.send_data(part, false).is_err() {
                    return;
                }
            }
        });
    })
    .await;
    // So that there is a connection, which all share.
    client.query("SELECT", &[]).await.unwrap();
    let unread = join_all((0..UNREAD).map(|_| client.stream(Request::Single(Statement::new("SELECT"))))).await;
    for _ in 0..UNREAD {
        tokio::time::timeout(Duration::from_secs(30), ahead.recv()).await.expect("more is sent ahead");
    }
    assert_eq!(client.query("SELECT", &[]).await.unwrap().len(), 1);
    for results in unread {
        let mut results = results.unwrap();
        assert!(matches!(results.next().await, Ok(Some(Event::Fields(_)))));
        assert!(matches!(results.next().await, Ok(Some(Event::Row(_)))));
    }
}

#[tokio::test]
async fn a_stream_that_the_server_refused_is_sent_again() {
    let (client, count, _peer) = http2(|before, _, mut respond| match before {
        0 => respond.send_reset(h2::Reason::REFUSED_STREAM),
        _ => answer(respond),
    })
    .await;
    client.execute("INSERT", &[]).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);

    let (client, count, _peer) = http2(|_, _, mut respond| respond.send_reset(h2::Reason::REFUSED_STREAM)).await;
    let error = client.execute("INSERT", &[]).await.unwrap_err();
    assert_eq!((error.outcome(), count.load(Ordering::SeqCst)), (Outcome::NotExecuted, 3));
}

#[tokio::test]
async fn a_stream_that_was_reset_is_not_sent_again() {
    for reason in [h2::Reason::INTERNAL_ERROR, h2::Reason::CANCEL, h2::Reason::NO_ERROR] {
        let (client, count, _peer) = http2(move |_, mut request, mut respond| {
            tokio::spawn(async move {
                // The statement has arrived.
                while request.body_mut().data().await.is_some() {}
                respond.send_reset(reason);
            });
        })
        .await;
        let error = client.execute("INSERT", &[]).await.unwrap_err();
        assert_eq!((error.outcome(), count.load(Ordering::SeqCst)), (Outcome::Unknown, 1), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_shuts_down_after_it_took_a_request_leaves_the_outcome_unknown() {
    let (certificate, acceptor) = tls("db.example.test");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let peer = Peer::start(move |connection| {
        let (acceptor, counter) = (acceptor.clone(), counter.clone());
        async move {
            let tls = acceptor.accept(connection.tcp).await?;
            let mut http = h2::server::handshake(tls).await.map_err(std::io::Error::other)?;
            let _taken = http.accept().await;
            counter.fetch_add(1, Ordering::SeqCst);
            http.abrupt_shutdown(h2::Reason::NO_ERROR);
            poll_fn(|cx| http.poll_closed(cx)).await.map_err(std::io::Error::other)
        }
    })
    .await;
    let client = Client::new(&tls_config(&peer, certificate)).unwrap();
    let error = client.execute("INSERT", &[]).await.unwrap_err();
    assert!(error.is_closed(), "{error:?}");
    assert_eq!((error.outcome(), count.load(Ordering::SeqCst)), (Outcome::Unknown, 1));
}
