use sqlx::Executor;

use super::{Counted, one};

#[tokio::test]
async fn a_transaction_whose_session_dies_fails_and_the_pool_goes_on() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create table t (i int)").await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("insert into t values (1)").execute(&mut *transaction).await.unwrap();
    let process: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *transaction).await.unwrap();
    assert_eq!(counted.stage.psql(&format!("select pg_terminate_backend({process})")), "t");
    assert!(sqlx::query("insert into t values (2)").execute(&mut *transaction).await.is_err());
    assert!(transaction.commit().await.is_err());
    assert_eq!(one(&pool).await, 1);
    let count: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&pool).await.unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn a_websocket_lost_while_idle_costs_no_error() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.begin().await.unwrap().commit().await.unwrap();
    assert_eq!(counted.opened(), 1);
    counted.sockets.close();
    for _ in 0..3 {
        assert_eq!(one(&pool).await, 1);
    }
}
