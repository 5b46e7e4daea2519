//! Statements over HTTP until one needs a session.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pgferry::{
    Config, Oid, Outcome, Transport,
    config::{Credential, CredentialProvider},
    execute::{Session, Statement},
    wire::TransactionStatus,
};
use pgferry_test_support::Stage;

use super::{first, text};

/// Longer than a session lingers that holds nothing.
const LEFT: Duration = Duration::from_millis(5500);

async fn connect(config: &Config) -> Session {
    Session::connect(&config.clone().transport(Transport::Auto)).await.unwrap()
}

async fn staged(script: &str) -> (Stage, Session) {
    let stage = Stage::start();
    stage.psql(script);
    let session = connect(&stage.config()).await;
    (stage, session)
}

async fn run(session: &Session, sql: &str) {
    session.execute(Statement::new(sql)).collect().await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn value(session: &Session, sql: &str) -> String {
    text(&session.execute(Statement::new(sql)).collect().await.unwrap_or_else(|error| panic!("{sql}: {error:?}")))
}

#[tokio::test]
async fn a_transaction_takes_a_session_and_gives_it_back() {
    let (stage, session) = staged("create table t (a int4); grant all on t to app").await;
    run(&session, "insert into t values (1)").await;
    assert_eq!(session.transport(), Transport::Http);
    assert_eq!(session.transaction_status(), TransactionStatus::Idle);

    run(&session, "begin").await;
    assert_eq!(
        (session.transport(), session.transaction_status()),
        (Transport::WebSocket, TransactionStatus::Transaction)
    );
    run(&session, "insert into t values (2)").await;
    assert_eq!(stage.psql("select count(*) from t"), "1");
    session.execute(Statement::new("select * from missing")).collect().await.unwrap_err();
    assert_eq!(session.transaction_status(), TransactionStatus::Failed);
    run(&session, "rollback").await;
    assert_eq!(session.transaction_status(), TransactionStatus::Idle);
    session.batch_execute("begin; insert into t values (3); commit").finish().await.unwrap();
    assert_eq!(stage.psql("select sum(a) from t"), "4");

    assert_eq!(session.transport(), Transport::WebSocket, "it lingers for the next transaction");
    tokio::time::sleep(LEFT).await;
    run(&session, "insert into t values (4)").await;
    assert_eq!(session.transport(), Transport::Http);
    assert!(session.is_usable());
}

#[tokio::test]
async fn what_a_session_holds_is_not_left() {
    let (_stage, session) = staged("create sequence s; grant all on sequence s to app").await;
    run(&session, "create temp table held (a int4)").await;
    run(&session, "set application_name = 'mine'").await;
    assert_eq!(value(&session, "select nextval('s')::text").await, "1");
    tokio::time::sleep(LEFT).await;
    run(&session, "insert into held values (1)").await;
    assert_eq!(value(&session, "show application_name").await, "mine");
    assert_eq!(value(&session, "select currval('s')::text").await, "1");
    assert_eq!(session.transport(), Transport::WebSocket);

    run(&session, "discard all").await;
    tokio::time::sleep(LEFT).await;
    assert_eq!(value(&session, "select 'x'").await, "x");
    assert_eq!(session.transport(), Transport::Http);
}

#[tokio::test]
async fn the_settings_are_the_same_on_both() {
    let stage = Stage::start();
    let session = connect(&stage.config().application_name("ledger").options("-c search_path=pg_catalog")).await;
    for expected in [Transport::Http, Transport::WebSocket] {
        assert_eq!(value(&session, "show application_name").await, "ledger");
        assert_eq!(value(&session, "show search_path").await, "pg_catalog");
        assert_eq!(value(&session, "show timezone").await, "UTC");
        assert_eq!(session.transport(), expected);
        run(&session, "begin").await;
    }
}

#[tokio::test]
async fn named_statements_are_known_on_both() {
    let (_stage, session) = staged("").await;
    const INT4: Oid = 23;
    let next = Statement::new("select $1 + 1").param(INT4, Some(41_i32.to_be_bytes().to_vec().into())).named(7);
    for text in ["select 1", "begin", "commit"] {
        run(&session, text).await;
        for _ in 0..2 {
            let output = session.execute(next.clone()).collect().await.unwrap();
            assert_eq!(first(&output), Some(&42_i32.to_be_bytes()[..]));
        }
    }
    session.forget(7);
    assert_eq!(first(&session.execute(next.clone()).collect().await.unwrap()), Some(&42_i32.to_be_bytes()[..]));
}

#[tokio::test]
async fn what_http_does_not_carry_goes_to_a_session() {
    let (stage, session) = staged("create table t (a int4); grant all on t to app").await;
    let record = session.execute(Statement::new("select row(1, 'a'::text)")).collect().await.unwrap();
    assert_eq!(record.rows.len(), 1);
    assert_eq!(session.transport(), Transport::WebSocket);

    let session = connect(&stage.config()).await;
    let writing = Statement::new("insert into t values (1) returning row(a, a)");
    let error = session.execute(writing).collect().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(stage.psql("select count(*) from t"), "1", "it is not run again");
    assert_eq!(session.transport(), Transport::Http);
}

#[tokio::test]
async fn a_result_beyond_the_limit_of_a_response_goes_to_a_session() {
    let stage = Stage::start();
    let session = connect(&stage.config().max_response_size(10_000)).await;
    assert_eq!(value(&session, "select repeat('x', 100000)").await.len(), 100_000);
    assert_eq!(session.transport(), Transport::WebSocket);
}

/// What HTTP cannot carry the results of has run, so that only what reads is tried in a session.
#[tokio::test]
async fn what_a_function_writes_is_written_once() {
    let (stage, session) = staged(
        "create table notes (a int); grant all on notes to public;
         create function note() returns int language sql as 'insert into notes values (1) returning a';
         create function look() returns int stable language sql as 'select 1'",
    )
    .await;
    let error = session.execute(Statement::new("select (note(), 1)")).collect().await.unwrap_err();
    assert_eq!((error.outcome(), error.sql_state().as_str()), (Outcome::Unknown, "08007"), "{error:?}");
    assert_eq!(stage.psql("select count(*) from notes"), "1");
    assert_eq!(session.transport(), Transport::Http);
    run(&session, "select (look(), 1)").await;
    assert_eq!(session.transport(), Transport::WebSocket);
}

#[tokio::test]
async fn types_made_in_a_session_are_known_over_http() {
    let (_stage, session) = staged("").await;
    session.batch_execute("begin; create type pair as (a int4, b text); commit").finish().await.unwrap();
    assert_eq!(session.execute(Statement::new("select row(1, 'x')::pair")).collect().await.unwrap().rows.len(), 1);
    tokio::time::sleep(LEFT).await;
    assert_eq!(session.execute(Statement::new("select row(1, 'x')::pair")).collect().await.unwrap().rows.len(), 1);
    assert_eq!(session.transport(), Transport::Http);
}

#[tokio::test]
async fn a_websocket_that_cannot_be_opened_costs_the_statement_alone() {
    let stage = Stage::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let session = connect(&stage.config().ws_url(format!("ws://{closed}/v2"))).await;
    for _ in 0..2 {
        let error = session.execute(Statement::new("begin")).collect().await.unwrap_err();
        assert!(error.is_connect() && error.outcome() == Outcome::NotExecuted, "{error:?}");
        assert_eq!(session.transaction_status(), TransactionStatus::Idle);
        assert_eq!(value(&session, "select 'x'").await, "x");
    }
    let error = session.execute(Statement::new("select row(1, 2)")).collect().await.unwrap_err();
    assert!(error.is_refused(), "{error:?}");
}

/// Gives the password, and from some moment on a token.
struct Turns {
    password: String,
    gives_tokens: AtomicBool,
}

#[async_trait::async_trait]
impl CredentialProvider for Turns {
    async fn credential(&self) -> Result<Credential, Box<dyn std::error::Error + Send + Sync>> {
        Ok(match self.gives_tokens.load(Ordering::Relaxed) {
            true => Credential::Bearer("token".into()),
            false => Credential::Password(self.password.as_str().into()),
        })
    }
}

#[tokio::test]
async fn a_token_opens_no_session_and_the_error_says_so() {
    let stage = Stage::start();
    let turns = Arc::new(Turns { password: stage.password().to_owned(), gives_tokens: AtomicBool::new(false) });
    let session = connect(&stage.config().credential_provider(Arc::clone(&turns) as _)).await;
    turns.gives_tokens.store(true, Ordering::Relaxed);
    let error = session.execute(Statement::new("begin")).collect().await.unwrap_err();
    assert!(error.is_refused() && error.message().contains("a bearer token logs in over HTTP only"), "{error:?}");
    turns.gives_tokens.store(false, Ordering::Relaxed);
    run(&session, "begin").await;
}
