//! Queries that are polled together travel together.

use std::time::Duration;

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, Integer, Nullable},
};
use diesel_async::RunQueryDsl;
use futures_util::future::{join_all, try_join_all};
use pgferry_diesel::{AsyncFerryConnection, Transport};
use pgferry_test_support::{Proxy, Stage};

use crate::diesel::user_types::{MOOD, Mood, MoodType};

/// A connection through a proxy that counts flights.
async fn counted(stage: &Stage, transport: Transport) -> (AsyncFerryConnection, Proxy) {
    let proxy = Proxy::start(stage.gateway().address(), Duration::from_millis(20)).unwrap();
    let address = proxy.address();
    let config = stage.config().http_url(format!("http://{address}/sql")).ws_url(format!("ws://{address}/v2"));
    (AsyncFerryConnection::connect(config.transport(transport)).await.unwrap(), proxy)
}

async fn ask(mut connection: &AsyncFerryConnection, number: i32) -> QueryResult<i32> {
    diesel::select(number.into_sql::<Integer>() + 1).get_result(&mut connection).await
}

async fn begin_and_commit(connection: &mut AsyncFerryConnection) {
    diesel_async::AsyncConnection::transaction(connection, async |_| QueryResult::Ok(())).await.unwrap();
}

#[tokio::test]
async fn a_new_statement_is_one_round_trip() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto, Transport::Http] {
        let (connection, proxy) = counted(&stage, transport).await;
        for _ in 0..2 {
            let before = proxy.flights();
            assert_eq!(ask(&connection, 1).await, Ok(2));
            assert_eq!(proxy.flights() - before, 1, "{transport}");
        }
    }
}

#[tokio::test]
async fn a_type_is_looked_up_once() {
    let stage = Stage::start();
    stage.psql(&format!("{MOOD} grant usage on type mood to app"));
    for transport in [Transport::WebSocket, Transport::Auto, Transport::Http] {
        let (connection, proxy) = counted(&stage, transport).await;
        let mut connection = &connection;
        diesel::select(Mood::Glad.into_sql::<MoodType>()).execute(&mut connection).await.unwrap();
        let before = proxy.flights();
        let moods = vec![Some(Mood::Sad), None].into_sql::<Array<Nullable<MoodType>>>();
        diesel::select((moods, Mood::Glad.into_sql::<MoodType>())).execute(&mut connection).await.unwrap();
        assert_eq!(proxy.flights() - before, 1, "{transport}");
    }
}

#[tokio::test]
async fn ten_joined_queries_are_one_round_trip() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto] {
        let (mut connection, proxy) = counted(&stage, transport).await;
        // Auto has a session then.
        begin_and_commit(&mut connection).await;
        let before = proxy.flights();
        let answers = try_join_all((0..10).map(|number| ask(&connection, number))).await.unwrap();
        assert_eq!(answers, (1..=10).collect::<Vec<_>>());
        assert_eq!(proxy.flights() - before, 1, "{transport}");
    }
}

#[tokio::test]
async fn a_transaction_of_three_statements_is_at_most_five() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto] {
        let (mut connection, proxy) = counted(&stage, transport).await;
        begin_and_commit(&mut connection).await;
        let before = proxy.flights();
        let sum = diesel_async::AsyncConnection::transaction(&mut connection, async |connection| {
            let mut sum = 0;
            for number in 0..3 {
                sum += ask(connection, number).await?;
            }
            QueryResult::Ok(sum)
        });
        assert_eq!(sum.await, Ok(6));
        assert_eq!(proxy.flights() - before, 5, "{transport}");
    }
}

#[tokio::test]
async fn a_failure_among_joined_queries_is_its_own() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto, Transport::Http] {
        let connection = super::ferry(&stage, transport).await;
        let answers = join_all((0..6).map(|number| {
            let mut connection = &connection;
            async move {
                let query = sql_query(format!("select 1 / ({number} - 3)"));
                query.execute(&mut connection).await.map_err(|error| error.to_string())
            }
        }));
        let answers = answers.await;
        for (number, answer) in answers.into_iter().enumerate() {
            let expected = if number == 3 { Err("division by zero".to_owned()) } else { Ok(1) };
            assert_eq!(answer, expected, "{transport} {number}");
        }
    }
}

#[tokio::test]
async fn a_dropped_query_disturbs_no_other() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto, Transport::Http] {
        let connection = super::ferry(&stage, transport).await;
        for round in 0..20 {
            let slow = async {
                let mut connection = &connection;
                sql_query("select pg_sleep(0.02)").execute(&mut connection).await
            };
            let dropped = tokio::time::timeout(Duration::from_millis(round), slow).await;
            assert_eq!(ask(&connection, 1).await, Ok(2), "{transport} {dropped:?}");
        }
    }
}
