//! Rows as they come.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Integer, Text},
};
use diesel_async::RunQueryDsl;
use futures_util::{StreamExt, TryStreamExt};
use pgferry_test_support::Stage;

use super::{Connection, on_each_road};

on_each_road!(
    a_stream_gives_all,
    a_stream_may_be_left,
    an_error_in_mid_stream_arrives,
    a_stream_is_held_beside_another_query
);

#[derive(QueryableByName)]
struct Wide {
    #[diesel(sql_type = Integer)]
    n: i32,
    #[diesel(sql_type = Text)]
    t: String,
}

async fn a_stream_gives_all<C: Connection>(connection: &mut C, _: &Stage) {
    let query = sql_query("select n, repeat('x', 100) as t from generate_series(1, 50000) n");
    let rows = query.load_stream::<Wide>(connection).await.unwrap();
    let sum =
        rows.try_fold(0_i64, |sum, row| async move { Ok(sum + i64::from(row.n) + row.t.len() as i64 - 100) }).await;
    assert_eq!(sum, Ok(50_000 * 50_001 / 2));
}

async fn a_stream_may_be_left<C: Connection>(connection: &mut C, _: &Stage) {
    for taken in [0, 1, 10] {
        let query = sql_query("select n, repeat('x', 1000) as t from generate_series(1, 20000) n");
        let rows = query.load_stream::<Wide>(connection).await.unwrap();
        let some: Vec<_> = rows.take(taken).collect().await;
        assert_eq!(some.len(), taken);
        assert_eq!(sql_query("select 1").execute(connection).await, Ok(1));
    }
}

async fn an_error_in_mid_stream_arrives<C: Connection>(connection: &mut C, _: &Stage) {
    let query = sql_query("select n, repeat('x', 1 / (20000 - n)) as t from generate_series(1, 30000) n");
    let outcome = match query.load_stream::<Wide>(connection).await {
        Ok(rows) => rows.try_collect::<Vec<_>>().await.map(drop),
        Err(error) => Err(error),
    };
    assert_eq!(outcome.unwrap_err().to_string(), "division by zero");
    assert_eq!(sql_query("select 1").execute(connection).await, Ok(1));
}

async fn a_stream_is_held_beside_another_query<C: Connection>(connection: &mut C, _: &Stage) {
    let query = sql_query("select n, repeat('x', 1000) as t from generate_series(1, 20000) n");
    let mut rows = query.load_stream::<Wide>(connection).await.unwrap().boxed();
    assert!(rows.next().await.is_some());
    drop(rows);
    let one: i32 = diesel::select(1.into_sql::<Integer>()).get_result(connection).await.unwrap();
    assert_eq!(one, 1);
}

#[tokio::test]
async fn a_stream_that_is_not_read_lets_the_next_query_pass() {
    use pgferry_diesel::Transport;

    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto, Transport::Http] {
        let connection = super::ferry(&stage, transport).await;
        let (mut first, mut second) = (&connection, &connection);
        let query = sql_query("select n, repeat('x', 1000) as t from generate_series(1, 20000) n");
        let rows = query.load_stream::<Wide>(&mut first).await.unwrap();
        let one: i32 = diesel::select(1.into_sql::<Integer>()).get_result(&mut second).await.unwrap();
        assert_eq!((one, rows.count().await), (1, 20_000), "{transport}");
    }
}
