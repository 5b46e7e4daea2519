//! Instrumentations see what they see of `PgConnection`.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{
    connection::{Instrumentation, InstrumentationEvent, SimpleConnection, set_default_instrumentation},
    prelude::*,
    sql_query,
    sql_types::Integer,
};
use pgferry_diesel::{FerryConnection, Transport};

use super::Place;

super::on_each_transport!(
    queries_are_reported,
    an_instrumentation_can_be_had_back,
    opening_is_reported_without_the_password
);

type Log = Arc<Mutex<Vec<String>>>;

fn record(log: &Log, event: &InstrumentationEvent<'_>) {
    let line = match event {
        InstrumentationEvent::StartEstablishConnection { url, .. } => format!("opening {url}"),
        InstrumentationEvent::FinishEstablishConnection { url, error, .. } => format!("opened {url} {error:?}"),
        InstrumentationEvent::StartQuery { query, .. } => format!("start {query}"),
        InstrumentationEvent::CacheQuery { sql, .. } => format!("cache {sql}"),
        InstrumentationEvent::FinishQuery { query, error, .. } => {
            format!("{} {query}", if error.is_some() { "failed" } else { "finish" })
        }
        InstrumentationEvent::BeginTransaction { depth, .. } => format!("begin {depth}"),
        InstrumentationEvent::CommitTransaction { depth, .. } => format!("commit {depth}"),
        InstrumentationEvent::RollbackTransaction { depth, .. } => format!("rollback {depth}"),
        other => format!("{other:?}"),
    };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

fn instrumented(place: &Place) -> (FerryConnection, Log) {
    let (mut connection, log) = (place.connect(), Log::default());
    let events = Arc::clone(&log);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| record(&events, &event));
    (connection, log)
}

#[track_caller]
fn assert_events(log: &Log, expected: &[&str]) {
    assert_eq!(mem::take(&mut *log.lock().unwrap()), expected);
}

fn queries_are_reported(place: &Place) {
    let (mut connection, log) = instrumented(place);
    let query = diesel::select(1.into_sql::<Integer>());
    let [start, finish] = ["start", "finish"].map(|what| format!("{what} SELECT $1 -- binds: [1]"));
    query.get_result::<i32>(&mut connection).unwrap();
    assert_events(&log, &[&start, "cache SELECT $1", &finish]);
    query.execute(&mut connection).unwrap();
    assert_events(&log, &[&start, &finish]);

    let broken = sql_query("select * from missing");
    broken.execute(&mut connection).unwrap_err();
    assert_events(&log, &["start select * from missing -- binds: []", "failed select * from missing -- binds: []"]);

    connection.batch_execute("select 1; select 2").unwrap();
    connection.batch_execute("select broken").unwrap_err();
    assert_events(
        &log,
        &["start select 1; select 2", "finish select 1; select 2", "start select broken", "failed select broken"],
    );

    let result = connection.transaction(|connection| {
        query.execute(connection)?;
        connection.transaction(|_| Err::<(), _>(diesel::result::Error::RollbackTransaction)).unwrap_err();
        QueryResult::Ok(())
    });
    if place.transport() == Transport::Http {
        result.unwrap_err();
        assert_events(&log, &["begin 1", "start BEGIN", "failed BEGIN"]);
        return;
    }
    result.unwrap();
    assert_events(
        &log,
        &[
            "begin 1",
            "start BEGIN",
            "finish BEGIN",
            &start,
            &finish,
            "begin 2",
            "start SAVEPOINT diesel_savepoint_1",
            "finish SAVEPOINT diesel_savepoint_1",
            "rollback 2",
            "start ROLLBACK TO SAVEPOINT diesel_savepoint_1",
            "finish ROLLBACK TO SAVEPOINT diesel_savepoint_1",
            "commit 1",
            "start COMMIT",
            "finish COMMIT",
        ],
    );
}

fn an_instrumentation_can_be_had_back(place: &Place) {
    #[derive(Default)]
    struct Counter(usize);
    impl Instrumentation for Counter {
        fn on_connection_event(&mut self, _: InstrumentationEvent<'_>) {
            self.0 += 1;
        }
    }
    let connection = &mut place.connect();
    connection.set_instrumentation(Counter::default());
    sql_query("select 1").execute(connection).unwrap();
    let counter: Option<&Counter> = connection.instrumentation().as_any().downcast_ref();
    assert_eq!(counter.map(|counter| counter.0), Some(2));
}

/// Of every connection that the process opens, hence only ever searched.
static OPENED: Mutex<Option<Log>> = Mutex::new(None);

fn opening_is_reported_without_the_password(place: &Place) {
    let log = Arc::clone(OPENED.lock().unwrap().get_or_insert_default());
    set_default_instrumentation(|| {
        let log = OPENED.lock().ok()?.clone()?;
        Some(Box::new(move |event: InstrumentationEvent<'_>| record(&log, &event)))
    })
    .unwrap();
    let config = place.config().password("a secret of this test");
    let url = format!(
        "postgresql://{}@{}:{}/{}",
        config.get_user().unwrap(),
        config.get_host().unwrap(),
        config.get_port(),
        config.get_dbname().unwrap()
    );
    FerryConnection::connect(&config).unwrap_err();
    FerryConnection::establish("postgresql://app:a secret of this test@/nowhere?bad=1").unwrap_err();
    drop(place.connect());
    let lines = log.lock().unwrap().clone();
    let at = |line: &str| {
        lines.iter().position(|other| other.starts_with(line)).unwrap_or_else(|| panic!("{line}: {lines:?}"))
    };
    assert!(at(&format!("opening {url}")) < at(&format!("opened {url} Some(BadConnection(")));
    at(&format!("opened {url} None"));
    assert!(
        lines.iter().all(|line| !line.contains("a secret of this test") && !line.contains(place.password())),
        "{lines:?}"
    );
}
