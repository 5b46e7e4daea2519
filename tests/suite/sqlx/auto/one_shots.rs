use pgferry_sqlx::PgPoolOptionsExt;
use sqlx::{Connection, Executor, Row, postgres::PgPoolOptions};

use super::{Counted, one, told};

#[tokio::test]
async fn what_needs_no_session_opens_no_websocket() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create table t (i int primary key, s text); create type mood as enum ('calm', 'cross')")
        .await
        .unwrap();
    for i in 0..3 {
        sqlx::query("insert into t values ($1, $2)").bind(i).bind("a").execute(&pool).await.unwrap();
    }
    let rows = sqlx::query("select i, s from t order by i").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>(), [0, 1, 2]);
    let mood: String = sqlx::query_scalar("select 'calm'::mood::text").fetch_one(&pool).await.unwrap();
    assert_eq!(mood, "calm");
    let error = sqlx::query("insert into t values (1, 'b')").execute(&pool).await.unwrap_err();
    assert_eq!(told(&error).0, "23505");
    let error = sqlx::query("selec 1").execute(&pool).await.unwrap_err();
    assert_eq!(told(&error).0, "42601");
    pool.execute("insert into t values (10, 'c'); update t set s = 'd' where i = 10").await.unwrap();
    pool.execute("vacuum t").await.unwrap();
    pool.execute("").await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    connection.ping().await.unwrap();
    drop(connection);
    assert_eq!(one(&pool).await, 1);
    assert_eq!(counted.opened(), 0);
}

#[tokio::test]
async fn a_large_result_arrives_whole_beyond_what_http_alone_may_answer() {
    let counted = Counted::start();
    let config = counted.config().max_response_size(100_000);
    let pool = pgferry_sqlx::pool(config).await.unwrap();
    let rows: Vec<String> =
        sqlx::query_scalar("select repeat('x', 1000) from generate_series(1, 1000)").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.len(), 1000);
    assert!(rows.iter().all(|row| row.len() == 1000));
}

#[tokio::test]
async fn a_statement_too_large_for_a_request_goes_to_a_session() {
    let counted = Counted::start();
    let config = counted.config().max_request_size(10_000);
    let pool = PgPoolOptions::new().max_connections(1).connect_over(config).await.unwrap();
    for size in [100_i32, 8_000, 100_000] {
        let text = "\u{1}".repeat(usize::try_from(size).unwrap());
        let length: i32 = sqlx::query_scalar("select length($1)").bind(&text).fetch_one(&pool).await.unwrap();
        assert_eq!(length, size);
    }
    assert_eq!(counted.opened(), 1);
}
