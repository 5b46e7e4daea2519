//! What the bridge takes for granted of sqlx, seen on a socket between sqlx and PostgreSQL itself: a later sqlx that speaks otherwise
//! fails here.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use sqlx::{Connection, Executor, PgConnection, SqlSafeStr, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use pgferry_test_support::Stage;

/// What a client sent, by flights: what it sent without waiting for an answer.
#[derive(Clone, Default)]
struct Flights(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    flights: Vec<Vec<u8>>,
    was_answered: bool,
}

impl Flights {
    fn sent(&self, bytes: &[u8]) {
        let mut log = self.0.lock().unwrap();
        if std::mem::take(&mut log.was_answered) || log.flights.is_empty() {
            log.flights.push(Vec::new());
        }
        log.flights.last_mut().unwrap().extend_from_slice(bytes);
    }

    fn answered(&self) {
        self.0.lock().unwrap().was_answered = true;
    }

    /// Takes the flights so far, each as the tags of its messages; a Describe's or Close's with what it is about.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().flights).iter().map(|flight| tags(flight)).collect()
    }
}

fn tags(mut flight: &[u8]) -> String {
    let mut tags = Vec::new();
    while let Some(header) = flight.first_chunk::<5>() {
        let length = u32::from_be_bytes(*header.last_chunk().unwrap()) as usize;
        let body = &flight[5..=length];
        let tag = char::from(header[0]);
        tags.push(match tag {
            'D' | 'C' => format!("{tag}{}", char::from(body[0])),
            'Q' => format!("Q({})", String::from_utf8_lossy(body.strip_suffix(b"\0").unwrap())),
            _ => tag.to_string(),
        });
        flight = &flight[1 + length..];
    }
    tags.join(" ")
}

/// Connects sqlx to PostgreSQL through a socket that writes down what passes.
async fn connect(stage: &Stage, cached_statements: usize) -> (PgConnection, Flights) {
    let options: PgConnectOptions = stage.postgres_url().parse().unwrap();
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, stage.postgres().port()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let flights = Flights::default();
    let log = flights.clone();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(server).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let down_log = log.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                down_log.answered();
                to_client.write_all(&buffer[..count]).await.unwrap();
            }
        });
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            log.sent(&buffer[..count]);
            to_server.write_all(&buffer[..count]).await.unwrap();
        }
    });
    let options = options
        .host("127.0.0.1")
        .port(port)
        .ssl_mode(sqlx::postgres::PgSslMode::Disable)
        .statement_cache_capacity(cached_statements);
    let connection = PgConnection::connect_with(&options).await.unwrap();
    // The log-in is no flight of messages as they are read here.
    std::mem::take(&mut flights.0.lock().unwrap().flights);
    (connection, flights)
}

#[tokio::test]
async fn a_statements_first_use_is_a_description_and_an_execution() {
    let stage = Stage::start();
    let (mut connection, flights) = connect(&stage, 100).await;
    for persistent in [true, false] {
        let text = format!("select $1 + {}", i32::from(persistent));
        let statement = || sqlx::query(sqlx::AssertSqlSafe(text.clone())).bind(1_i32).persistent(persistent);
        statement().execute(&mut connection).await.unwrap();
        assert_eq!(
            flights.take(),
            ["P DS S", "B E CP S"],
            "the bridge answers Parse, Describe and Sync by itself, and takes Bind for the first use: sqlx does it otherwise now"
        );
        statement().execute(&mut connection).await.unwrap();
        let expected: &[&str] = if persistent { &["B E CP S"] } else { &["P DS S", "B E CP S"] };
        assert_eq!(
            flights.take(),
            expected,
            "the bridge adds the columns to each Bind of a known statement: sqlx asks itself now"
        );
    }
    (&mut connection).prepare("select 5".into_sql_str()).await.unwrap();
    assert_eq!(
        flights.take(),
        ["P DS S"],
        "a statement that is only prepared can be told apart now, and described at once"
    );
}

#[tokio::test]
async fn a_statement_leaves_the_cache_with_a_close_and_a_sync() {
    let stage = Stage::start();
    let (mut connection, flights) = connect(&stage, 1).await;
    sqlx::query("select 1").execute(&mut connection).await.unwrap();
    flights.take();
    sqlx::query("select 2").execute(&mut connection).await.unwrap();
    assert_eq!(
        flights.take(),
        ["P DS S", "CS S", "B E CP S"],
        "the bridge answers a close that a Sync follows, and tells the server later: sqlx does not wait for it any more"
    );
    connection.clear_cached_statements().await.unwrap();
    assert_eq!(flights.take(), ["CS S"], "the bridge answers closes that a Sync follows");
}

#[tokio::test]
async fn a_ping_is_a_lone_sync() {
    let stage = Stage::start();
    let (mut connection, flights) = connect(&stage, 1).await;
    connection.ping().await.unwrap();
    assert_eq!(flights.take(), ["S"], "the bridge takes a lone Sync for a ping: sqlx's is something else now");
}

#[tokio::test]
async fn transactions_are_simple_queries_and_end_late_when_dropped() {
    let stage = Stage::start();
    let (mut connection, flights) = connect(&stage, 10).await;
    let transaction = connection.begin().await.unwrap();
    assert_eq!(flights.take(), ["Q(BEGIN)"], "the bridge counts a flight for BEGIN, and none for its description");
    drop(transaction);
    assert!(
        flights.take().is_empty(),
        "a dropped transaction tells the server nothing until the connection is used again"
    );
    sqlx::query("select 1").execute(&mut connection).await.unwrap();
    assert_eq!(
        flights.take(),
        ["Q(ROLLBACK)", "P DS S", "B E CP S"],
        "the rollback of a dropped transaction comes before the connection's next statement"
    );
}

#[tokio::test]
async fn columns_that_come_with_the_rows_are_taken() {
    let stage = Stage::start();
    let pool = pgferry_sqlx::pool(stage.config().transport(pgferry_sqlx::Transport::WebSocket)).await.unwrap();
    sqlx::query("select 0").execute(&pool).await.unwrap();
    for _ in 0..2 {
        let row: (i32, String) = sqlx::query_as("select 1 as a, 'x' as b").fetch_one(&pool).await.expect(
            "the bridge describes the columns with the rows: sqlx does not take a RowDescription in an execution any more, so \
             describe=always must become the default",
        );
        assert_eq!(row, (1, "x".to_owned()));
    }
}
