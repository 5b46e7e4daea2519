//! What happens when the network breaks.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{
    prelude::*,
    result::{DatabaseErrorKind, Error},
    sql_query,
};
use pgferry_diesel::{FerryConnection, Transport};
use pgferry_test_support::TestGateway;

use super::Place;

super::on_each_transport!(a_deadline_leaves_the_outcome_open, a_gateway_that_dies_leaves_the_outcome_open,);

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
