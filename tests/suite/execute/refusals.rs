//! Results that HTTP cannot carry, and what a failure says of the statement before it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};

use pgferry::{Outcome, SqlState, execute::Statement, http::BatchOptions};

use super::{Place, run};

#[tokio::test]
async fn nobody_repeats_a_write_for_results_that_cannot_be_carried() {
    let place = Place::with("create table t (a int4); grant all on t to app");
    for text in [
        "insert into t values (1) returning row(a, a)",
        "with x as (insert into t values (1) returning a) select (a, 'b') from x",
    ] {
        let before = place.stage.psql("select count(*) from t").parse::<u32>().unwrap();
        let error = run(&place.session, Statement::new(text)).await.unwrap_err();
        assert_eq!(error.sql_state(), SqlState::TRANSACTION_RESOLUTION_UNKNOWN);
        assert_eq!(error.to_db_error().code, Some(SqlState::TRANSACTION_RESOLUTION_UNKNOWN));
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(!error.is_refused() && error.message().contains("the statement has run"), "{error:?}");
        assert_eq!(place.stage.psql("select count(*) from t"), (before + 1).to_string());
    }

    let batch = [Statement::new("select row(1, 2)"), Statement::new("insert into t values (1)")];
    let rows = place.session.execute_batch(&batch, BatchOptions::new()).await.unwrap();
    assert!(!rows.collect().await.unwrap_err().is_refused(), "the other statement writes");
}

#[tokio::test]
async fn what_only_reads_is_refused() {
    let place = Place::with("");
    let error = run(&place.session, Statement::new("select row(1, 'insert')")).await.unwrap_err();
    assert_eq!(error.sql_state(), SqlState::FEATURE_NOT_SUPPORTED);
    assert!(error.is_refused() && error.message().contains("record"), "{error:?}");
    for said in [error.to_string(), error.to_db_error().message] {
        assert!(said.contains("the statement has run") && !said.contains("may have run"), "{said}");
    }
}

#[tokio::test]
async fn a_look_up_that_fails_before_the_statement_says_that_nothing_ran() {
    let place = Place::with("create type mood as enum ('sad'); create table t (m mood); grant all on t to app");
    let relay = cut_at(place.stage.gateway().address(), b"pg_attribute").unwrap();
    let session = place.session(&place.stage.config().http_url(format!("http://{relay}/sql")));
    let insert = Statement::new("insert into t values ($1)").param(place.oid("mood"), Some(b"sad".to_vec().into()));
    let error = run(&session, insert).await.unwrap_err();
    assert!(!error.is_connect(), "it was lost when it was under way: {error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted, "{error:?}");
    assert_eq!(place.stage.psql("select count(*) from t"), "0");
}

/// Carries what comes and goes, and closes a connection that would carry these bytes.
fn cut_at(target: SocketAddr, bytes: &'static [u8]) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client?, TcpStream::connect(target)?);
            let (mut back, mut from) = (client.try_clone()?, server.try_clone()?);
            thread::spawn(move || io::copy(&mut from, &mut back));
            thread::spawn(move || forth(client, server, bytes));
        }
        io::Result::Ok(())
    });
    Ok(address)
}

fn forth(mut client: TcpStream, mut server: TcpStream, bytes: &[u8]) -> io::Result<()> {
    let (mut seen, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let length = client.read(&mut buffer)?;
        seen.extend_from_slice(&buffer[..length]);
        if length == 0 || seen.windows(bytes.len()).any(|window| window == bytes) {
            client.shutdown(Shutdown::Both)?;
            return server.shutdown(Shutdown::Both);
        }
        server.write_all(&buffer[..length])?;
    }
}
