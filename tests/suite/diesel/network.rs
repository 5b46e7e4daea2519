//! What crosses the network, and what happens when it breaks.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::{BigInt, Integer, Text},
};
use pgferry_diesel::{FerryConnection, Transport};
use pgferry_test_support::{Proxy, TestGateway};

use super::Place;

super::on_each_transport!(
    each_statement_takes_one_flight,
    a_deadline_leaves_the_outcome_open,
    a_gateway_that_dies_leaves_the_outcome_open,
);

fn each_statement_takes_one_flight(place: &Place) {
    let gateway = place.stage.gateway().address();
    let proxy = Proxy::start(gateway, Duration::from_millis(2)).unwrap();
    // The ports in the endpoints' URLs, which are percent-encoded within the database's.
    let [direct, detour] = [gateway, proxy.address()].map(|address| format!("%3A{}", address.port()));
    let connection = &mut FerryConnection::establish(&place.url().replace(&direct, &detour)).unwrap();
    let flights = |connection: &mut FerryConnection, run: &dyn Fn(&mut FerryConnection) -> QueryResult<()>| {
        let before = proxy.flights();
        run(connection).unwrap();
        proxy.flights() - before
    };
    let number =
        |connection: &mut FerryConnection| diesel::select(1.into_sql::<Integer>()).execute(connection).map(drop);
    assert_eq!(flights(connection, &number), 1, "new to the connection");
    assert_eq!(flights(connection, &number), 1, "known to it");
    assert_eq!(
        flights(connection, &|connection| diesel::select("x".into_sql::<Text>()).execute(connection).map(drop)),
        1
    );
    assert_eq!(flights(connection, &|connection| sql_query("select 1").execute(connection).map(drop)), 1, "never kept");
    assert_eq!(flights(connection, &|connection| connection.batch_execute("select 1; select 2")), 1, "a script");
    if place.transport() != Transport::Http {
        // With `Auto` it opens the WebSocket.
        connection.transaction(|_| QueryResult::Ok(())).unwrap();
        let transaction = |connection: &mut FerryConnection| {
            connection.transaction(|connection| {
                number(connection)?;
                diesel::select(2_i64.into_sql::<BigInt>()).execute(connection)?;
                number(connection)
            })
        };
        assert_eq!(flights(connection, &transaction), 5);
    }
}

fn a_deadline_leaves_the_outcome_open(place: &Place) {
    let config = place.config().request_timeout(Some(Duration::from_secs(3)));
    let connection = &mut FerryConnection::connect(config).unwrap();
    let error = sql_query("select pg_sleep(600)").execute(connection).unwrap_err();
    assert!(error.to_string().contains("may have run"), "{error}");
    let after = sql_query("select 1").execute(connection);
    match place.transport() {
        Transport::WebSocket => {
            assert!(matches!(after, Err(Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _))), "{after:?}");
        }
        _ => assert_eq!(after, Ok(1)),
    }
}

fn a_gateway_that_dies_leaves_the_outcome_open(place: &Place) {
    let gateway = TestGateway::start(place.stage.postgres()).unwrap();
    let config: pgferry_diesel::Config = gateway.ferry(&place.stage.postgres_url()).parse().unwrap();
    let mut connection = FerryConnection::connect(config.transport(place.transport())).unwrap();
    let query = thread::spawn(move || sql_query("select pg_sleep(600)").execute(&mut connection));
    let running = "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()";
    let asked = Instant::now();
    while place.stage.psql(&format!("{running} and datname = current_database()")) != "1" {
        assert!(asked.elapsed() < Duration::from_secs(60), "the query never ran");
        thread::sleep(Duration::from_millis(20));
    }
    drop(gateway);
    let error = query.join().unwrap().unwrap_err();
    assert!(error.to_string().contains("may have run"), "{error}");
    assert!(matches!(error, Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)), "{error:?}");
}
