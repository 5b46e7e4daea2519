//! What a session is beyond its statements: notifications, and statements that are cancelled.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use diesel::{
    connection::{CacheSize, SimpleConnection},
    pg::PgNotification,
    prelude::*,
    result::Error,
    sql_query,
    sql_types::{BigInt, Integer, Text},
};
use pgferry_diesel::{FerryConnection, Transport};

use super::{Place, Road, Tcp, one::One};

super::on_each_transport!(notifications_come, a_statement_is_cancelled_from_another_thread);

fn heard(connection: &mut FerryConnection) -> Vec<PgNotification> {
    connection.notifications_iter().map(Result::unwrap).collect()
}

fn notifications_come(place: &Place) {
    let mut connection = place.connect();
    assert!(heard(&mut connection).is_empty());
    if place.transport() == Transport::Http {
        let refused = connection.batch_execute("listen news").unwrap_err().to_string();
        assert!(refused.contains("transport=websocket"), "{refused}");
        return;
    }
    sql_query("listen news").execute(&mut connection).unwrap();
    for payload in ["first", "", "third"] {
        sql_query(format!("notify news, '{payload}'")).execute(&mut connection).unwrap();
    }
    // Those of its own are there with the answer, as with libpq.
    let own = heard(&mut connection);
    assert_eq!(own.iter().map(|heard| heard.payload.as_str()).collect::<Vec<_>>(), ["first", "", "third"]);
    assert!(own.iter().all(|heard| heard.channel == "news" && heard.process_id == own[0].process_id));
    assert!(heard(&mut connection).is_empty());
    // Another's come by themselves, with no statement to bring them.
    place.stage.psql("notify news, 'from elsewhere'");
    let mut others = heard(&mut connection);
    while others.is_empty() {
        thread::sleep(Duration::from_millis(5));
        others = heard(&mut connection);
    }
    assert_eq!(others[0].payload, "from elsewhere");
    assert_ne!(others[0].process_id, own[0].process_id);

    connection.batch_execute("notify news, 'last'; select pg_terminate_backend(pg_backend_pid())").unwrap_err();
    let ended: Vec<_> = connection.notifications_iter().collect();
    assert!(matches!(&ended[..], [Err(Error::DatabaseError(..))]), "{ended:?}");
}

fn a_statement_is_cancelled_from_another_thread(place: &Place) {
    let mut connection = place.connect();
    let token = connection.cancel_token();
    // Where nothing runs, nothing happens.
    token.cancel_blocking().unwrap();
    let ended = AtomicBool::new(false);
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            // Once may be before the statement has begun.
            while !ended.load(Ordering::Acquire) {
                token.cancel_blocking().unwrap();
                thread::sleep(Duration::from_millis(20));
            }
        });
        let error = sql_query("select pg_sleep(600)").execute(&mut connection).unwrap_err();
        ended.store(true, Ordering::Release);
        error
    });
    let Error::DatabaseError(_, information) = error else { panic!("{error:?}") };
    assert_eq!(information.message(), "canceling statement due to user request");
}

#[test]
fn the_server_keeps_the_statements_that_libpq_has_it_keep() {
    fn kept<R: Road>(road: &R) -> Vec<i64> {
        let mut connection = road.connect();
        let kept = || sql_query("select count(*) as value from pg_prepared_statements");
        let mut seen = Vec::new();
        for size in [CacheSize::Unbounded, CacheSize::Disabled, CacheSize::Unbounded] {
            connection.set_prepared_statement_cache_size(size);
            for _ in 0..2 {
                diesel::select(1.into_sql::<Integer>()).execute(&mut connection).unwrap();
                diesel::select("x".into_sql::<Text>()).execute(&mut connection).unwrap();
                seen.push(One::<BigInt, i64>::of(kept(), &mut connection).unwrap());
            }
        }
        seen
    }
    assert_eq!(kept(&Place::new(Transport::WebSocket)), kept(&Tcp::new()));
}
