//! What goes wrong on purpose, as applications see it: what they are told, and what became of their statements.

use std::time::{Duration, Instant};

use diesel::{RunQueryDsl, sql_query};
use pgferry::{
    websocket,
    wire::{Client, Startup},
};
use pgferry_diesel::FerryConnection;
use pgferry_gateway::WsAuth;
use pgferry_sqlx::{Config, Transport};
use pgferry_test_support::{Stage, TestGateway};
use serde_json::json;
use sqlx::{Connection as _, Executor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::PATIENCE;

/// How long a statement may take, which is what one takes that hears nothing.
const DEADLINE: Duration = Duration::from_secs(4);

/// How many statements there are for a fault to strike.
const TRIES: usize = 12;

/// What an application heard of a statement that failed.
#[derive(Debug)]
struct Told {
    /// The number that it should have inserted.
    deed: usize,
    code: String,
    message: String,
}

/// A stage whose gateway has these faults, and a table for what was done.
fn stage(faults: &str) -> Stage {
    stage_with(faults, WsAuth::Cleartext)
}

fn stage_with(faults: &str, ws_auth: WsAuth) -> Stage {
    let config = |postgres: &_| TestGateway::config(postgres).faults(faults.parse().unwrap()).ws_auth(ws_auth);
    let stage = Stage::with(|postgres| TestGateway::with(config(postgres)));
    stage.psql("create table deeds (deed bigint); alter table deeds owner to app");
    stage
}

fn config(stage: &Stage, transport: Transport) -> Config {
    stage.config().transport(transport).request_timeout(Some(DEADLINE))
}

/// How often a deed was done.
fn done(stage: &Stage, deed: usize) -> String {
    stage.psql(&format!("select count(*) from deeds where deed = {deed}"))
}

fn told(deed: usize, error: &sqlx::Error) -> Told {
    let code = error.as_database_error().and_then(|error| error.code());
    Told { deed, code: code.unwrap_or_default().into_owned(), message: error.to_string() }
}

/// Inserts until one fails.
async fn sqlx_until_told(stage: &Stage, transport: Transport) -> Told {
    let pool = pgferry_sqlx::pool(config(stage, transport)).await.unwrap();
    for deed in 0..TRIES {
        let insert = sqlx::query("insert into deeds values ($1)").bind(i64::try_from(deed).unwrap());
        if let Err(error) = insert.execute(&pool).await {
            return told(deed, &error);
        }
        assert_eq!(done(stage, deed), "1");
    }
    panic!("nothing went wrong");
}

fn diesel_until_told(stage: &Stage, transport: Transport) -> Told {
    let mut connection = FerryConnection::connect(config(stage, transport)).unwrap();
    for deed in 0..TRIES {
        let inserted = sql_query("insert into deeds values ($1)")
            .bind::<diesel::sql_types::BigInt, _>(i64::try_from(deed).unwrap())
            .execute(&mut connection);
        if let Err(error) = inserted {
            return Told { deed, code: String::new(), message: error.to_string() };
        }
        assert_eq!(done(stage, deed), "1");
    }
    panic!("nothing went wrong");
}

/// What each adapter is told over a transport, and how often the deed was done.
async fn each_adapter(faults: &str, transport: Transport) -> [(Told, String); 2] {
    let with_sqlx = stage(faults);
    let told = sqlx_until_told(&with_sqlx, transport).await;
    let first = (done(&with_sqlx, told.deed), told);
    let faults = faults.to_owned();
    let second = tokio::task::spawn_blocking(move || {
        let with_diesel = stage(&faults);
        let told = diesel_until_told(&with_diesel, transport);
        (done(&with_diesel, told.deed), told)
    });
    let second = second.await.unwrap();
    [(first.1, first.0), (second.1, second.0)]
}

/// Expects that a fault leaves the outcome open, and that the deed was done so often.
async fn expect_unknown(faults: &str, times: &[&str]) {
    let (http, websocket) =
        tokio::join!(each_adapter(faults, Transport::Http), each_adapter(faults, Transport::WebSocket));
    for (transport, told) in [(Transport::Http, http), (Transport::WebSocket, websocket)] {
        for (told, done) in told {
            assert!(["08007", ""].contains(&told.code.as_str()), "{faults} over {transport}: {told:?}");
            assert!(told.message.contains("may have run"), "{faults} over {transport}: {told:?}");
            assert!(times.contains(&done.as_str()), "{faults} over {transport}: done {done} times: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_client_lost_before_its_statement_cannot_know_that_it_never_ran() {
    expect_unknown("drop=before@every=5", &["0"]).await;
}

#[tokio::test]
async fn a_client_lost_during_its_statement_cannot_know() {
    expect_unknown("drop=during@every=5", &["0", "1"]).await;
}

#[tokio::test]
async fn a_client_lost_after_its_statement_has_done_it_once() {
    expect_unknown("drop=after@every=5", &["1"]).await;
}

#[tokio::test]
async fn a_client_that_hears_nothing_gives_up_and_cannot_know_that_its_statement_never_ran() {
    expect_unknown("hang=before@every=5", &["0"]).await;
}

#[tokio::test]
async fn a_client_that_hears_nothing_gives_up_when_its_statement_has_run() {
    expect_unknown("hang=after@every=5", &["1"]).await;
}

#[tokio::test]
async fn what_postgres_refuses_is_told_with_its_code_and_not_done() {
    for transport in [Transport::Http, Transport::WebSocket] {
        for (told, done) in each_adapter("error=40001@every=5", transport).await {
            assert!(["40001", ""].contains(&told.code.as_str()), "{transport}: {told:?}");
            assert!(told.message.contains("could not serialize access"), "{transport}: {told:?}");
            assert_eq!(done, "0", "{transport}");
        }
    }
}

#[tokio::test]
async fn a_session_that_is_ended_by_an_administrator_says_so() {
    for (told, done) in each_adapter("error=57P01@every=5", Transport::WebSocket).await {
        assert!(told.message.contains("terminating connection due to administrator command"), "{told:?}");
        assert_eq!(done, "0");
    }
}

#[tokio::test]
async fn requests_that_are_refused_have_not_run() {
    for status in ["503", "429", "too-many-connections", "control-plane", "no-compute"] {
        let stage = stage(&format!("status={status}@every=4@http"));
        let told = sqlx_until_told(&stage, Transport::Http).await;
        assert_eq!(told.code, "08001", "{status}: {told:?}");
        assert_eq!(done(&stage, told.deed), "0");
    }
}

#[tokio::test]
async fn connections_that_are_refused_have_run_nothing() {
    for faults in ["status=503", "drop=connect"] {
        let stage = stage(faults);
        let error = pgferry_sqlx::pool(config(&stage, Transport::WebSocket)).await.unwrap_err();
        let told = told(0, &error);
        assert_eq!(told.code, "08001", "{faults}: {told:?}");
        assert!(!told.message.contains("may have run"), "{faults}: {told:?}");
    }
    // sqlx's pools try again for as long as they may where Postgres has no room or is starting.
    for (faults, message) in [("error=53300", "too many clients"), ("error=57P03", "starting up")] {
        let stage = stage(faults);
        let connected = tokio::task::spawn_blocking(move || {
            FerryConnection::connect(config(&stage, Transport::WebSocket)).err().map(|error| error.to_string())
        });
        let error = connected.await.unwrap().expect("the log-in is refused");
        assert!(error.contains(message), "{faults}: {error}");
    }
    let stage = stage("hang=connect");
    let config = config(&stage, Transport::WebSocket).connect_timeout(Duration::from_millis(300));
    let error = pgferry_sqlx::pool(config).await.unwrap_err();
    assert_eq!(told(0, &error).code, "08001", "{error}");
}

#[tokio::test]
async fn a_transaction_that_met_an_error_is_as_postgres_leaves_it() {
    let stage = stage("error=40001@every=5@websocket");
    let pool = pgferry_sqlx::pool(config(&stage, Transport::WebSocket)).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let mut error = None;
    for deed in 0..8_i64 {
        error = sqlx::query("insert into deeds values ($1)").bind(deed).execute(&mut *transaction).await.err();
        if error.is_some() {
            break;
        }
    }
    assert_eq!(told(0, &error.expect("no insert met the error")).code, "40001");
    let after = transaction.execute("select 1").await.unwrap_err();
    assert_eq!(told(0, &after).code, "25P02", "the server knows that the transaction has failed");
    transaction.rollback().await.unwrap();
    assert_eq!(stage.psql("select count(*) from deeds"), "0");
    sqlx::query("select 1").execute(&mut *connection).await.unwrap();
}

#[tokio::test]
async fn prepared_statements_survive_an_error() {
    for ws_auth in [WsAuth::Cleartext, WsAuth::Relay] {
        each_fourth_fails(&stage_with("error=40001@every=4@websocket", ws_auth)).await;
    }
}

async fn each_fourth_fails(stage: &Stage) {
    let pool = pgferry_sqlx::pool(config(stage, Transport::WebSocket)).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let (mut good, mut bad) = (0, 0);
    for number in 0..16_i64 {
        match sqlx::query_scalar::<_, i64>("select $1 + 1").bind(number).fetch_one(&mut *connection).await {
            Ok(sum) => {
                assert_eq!(sum, number + 1);
                good += 1;
            }
            Err(error) => {
                assert_eq!(told(0, &error).code, "40001", "{error}");
                bad += 1;
            }
        }
    }
    assert_eq!((good, bad), (12, 4));
}

#[tokio::test]
async fn a_statement_in_flight_is_cancelled_when_its_client_gives_up() {
    let stage = stage("hang=during@every=1");
    for transport in [Transport::Http, Transport::WebSocket] {
        let running = format!(
            "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(601)%' \
             and pid <> pg_backend_pid() and datname = '{}'",
            stage.database()
        );
        let body = json!({ "query": "select pg_sleep(601)" });
        let client = match transport {
            Transport::Http => {
                let request = reqwest::Client::new()
                    .post(stage.gateway().http_url())
                    .header("Neon-Connection-String", stage.postgres_url())
                    .json(&body);
                tokio::spawn(async move { drop(request.send().await) })
            }
            _ => {
                let config = stage.config().transport(transport);
                let startup = Startup::new("app", "password".parse().unwrap());
                let startup = startup.database(stage.database()).password(stage.password());
                tokio::spawn(async move {
                    let stream = websocket::connect(&config).await.unwrap();
                    let mut client = Client::connect(stream, &startup).await.unwrap();
                    drop(client.simple_query("select pg_sleep(601)").await.unwrap().finish().await);
                })
            }
        };
        super::wait_for(stage.postgres(), &running, "1").await.unwrap();
        client.abort();
        super::wait_for(stage.postgres(), &running, "0").await.unwrap();
    }
}

/// Sends a query in plain HTTP/1.1, and returns all that comes until the connection is closed or silent for long.
async fn raw(stage: &Stage, query: &str) -> String {
    let mut tcp = TcpStream::connect(stage.gateway().address()).await.unwrap();
    let body = json!({ "query": query }).to_string();
    let head = format!(
        "POST /sql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nNeon-Connection-String: {}\r\nContent-Length: {}\r\n\r\n",
        stage.postgres_url(),
        body.len()
    );
    tcp.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection may be reset as well.
    let _ = timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.expect("it is closed");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_response_names_what_it_met() {
    let answers = stage("latency=1ms@first=2 status=429@every=2 rate=1MiB/s@first=1");
    let first = raw(&answers, "select 1").await;
    assert!(first.starts_with("HTTP/1.1 200 "), "{first}");
    assert!(first.contains("\r\npgferry-fault: latency=1ms, rate=1048576B/s\r\n"), "{first}");
    let second = raw(&answers, "select 1").await;
    assert!(second.starts_with("HTTP/1.1 429 "), "{second}");
    assert!(second.contains("\r\npgferry-fault: latency=1ms, status=429\r\n"), "{second}");
    assert!(second.ends_with(r#"{"msg":"too many requests"}"#), "{second}");
    let third = raw(&answers, "select 1").await;
    assert!(third.starts_with("HTTP/1.1 200 ") && !third.contains("pgferry-fault"), "{third}");
}

#[tokio::test]
async fn the_providers_own_refusals_have_their_form() {
    for (fault, start, message) in [
        (
            "status=too-many-connections",
            "HTTP/1.1 500 ",
            "Too many connections to this endpoint. Please try again later.",
        ),
        ("status=control-plane", "HTTP/1.1 500 ", "Control plane request failed"),
        ("status=no-compute", "HTTP/1.1 500 ", "Couldn't connect to compute node"),
        ("error=40P01", "HTTP/1.1 400 ", "deadlock detected"),
        ("error=53300", "HTTP/1.1 500 ", "sorry, too many clients already"),
    ] {
        let answer = raw(&stage(fault), "select 1").await;
        assert!(answer.starts_with(start), "{fault}: {answer}");
        let body: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["message"], message, "{fault}");
        assert_eq!(body.as_object().unwrap().len(), 17, "{fault}");
    }
}

#[tokio::test]
async fn a_connection_is_closed_without_a_word() {
    for fault in ["drop=connect", "drop=before", "drop=during", "drop=after"] {
        assert_eq!(raw(&stage(fault), "select 1").await, "", "{fault}");
    }
}

#[tokio::test]
async fn a_request_that_gets_nothing_to_postgres_keeps_its_answer() {
    let stage = stage("drop=after");
    let body = json!({ "query": "select 1" });
    let wrong = stage.postgres_url().replace(stage.password(), "wrong");
    let request = reqwest::Client::new().post(stage.gateway().http_url()).header("Neon-Connection-String", wrong);
    let (status, body) = super::answer(request.json(&body).send().await.unwrap()).await.unwrap();
    assert_eq!((status.as_u16(), &body["message"]), (400, &json!("password authentication failed for user 'app'")));
}

#[tokio::test]
async fn latency_and_rate_slow_both_transports_down() {
    let stage = stage("latency=150ms rate=100kB/s");
    for transport in [Transport::Http, Transport::WebSocket] {
        let pool = pgferry_sqlx::pool(config(&stage, transport).request_timeout(None)).await.unwrap();
        let begun = Instant::now();
        let text: String = sqlx::query_scalar("select repeat('x', 50000)").fetch_one(&pool).await.unwrap();
        assert_eq!(text.len(), 50_000);
        // At least 150 ms before it, and half a second for its bytes.
        assert!(begun.elapsed() >= Duration::from_millis(600), "{transport}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_compute_that_sleeps_ends_its_sessions_and_starts_again() {
    let stage = stage("cold-start=400ms/1s");
    let startup = Startup::new("app", "password".parse().unwrap());
    let startup = startup.database(stage.database()).password(stage.password());
    let connect = async || {
        let begun = Instant::now();
        let stream = websocket::connect(&stage.config()).await.unwrap();
        let client = Client::connect(stream, &startup).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(400), "it was there already");
        client
    };
    let mut client = connect().await;
    // What runs keeps it awake for longer than it takes to fall asleep.
    client.simple_query("select pg_sleep(2)").await.unwrap().finish().await.unwrap();
    let (mut stream, _) = client.into_parts();
    let mut last = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut last)).await.expect("it is ended").unwrap();
    assert!(String::from_utf8_lossy(&last).contains("terminating connection due to administrator command"), "{last:?}");
    let count = format!("select count(*) from pg_stat_activity where datname = '{}'", stage.database());
    super::wait_for(stage.postgres(), &count, "0").await.unwrap();
    connect().await;
}

#[tokio::test]
async fn the_same_seed_meets_the_same_requests() {
    let statuses = async |seed: u32| {
        let stage = stage(&format!("status=503@40% seed={seed}"));
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(raw(&stage, "select 1").await.starts_with("HTTP/1.1 503 "));
        }
        statuses
    };
    let first = statuses(7).await;
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(statuses(7).await, first);
    assert_ne!(statuses(8).await, first);
}

#[tokio::test]
async fn a_connection_of_http2_is_closed_as_well() {
    let stage = stage("drop=after");
    stage.psql("insert into deeds values (1)");
    let body = json!({ "query": "update deeds set deed = deed + 1" });
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let request = client.post(stage.gateway().http_url()).header("Neon-Connection-String", stage.postgres_url());
    let error = request.json(&body).send().await.unwrap_err();
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(done(&stage, 2), "1");
}
