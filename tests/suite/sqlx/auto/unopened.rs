use std::{net::TcpListener, time::Duration};

use futures_util::TryStreamExt;
use sqlx::{Executor, postgres::PgPoolCopyExt};

use super::{Counted, one, told};
use pgferry_sqlx::PgPoolOptionsExt;

/// A port on which nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_fails_its_statement_alone() {
    let counted = Counted::start();
    let config = counted.config().ws_url(format!("ws://127.0.0.1:{}/v2", closed_port()));
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(20))
        .connect_over(config)
        .await
        .unwrap();
    for _ in 0..2 {
        let (code, message) = told(&pool.begin().await.unwrap_err());
        assert_eq!(code, "08001", "{message}");
        assert!(message.contains("needs a session"), "{message}");
        assert_eq!(one(&pool).await, 1);
        for statement in ["listen news", "select nextval('s')", "copy pg_class to stdout", "copy pg_class from stdin"] {
            let error = sqlx::query(statement).execute(&pool).await.unwrap_err();
            assert_eq!(told(&error).0, "08001", "{statement}");
            assert_eq!(one(&pool).await, 1);
        }
    }
    let error = pool.copy_in_raw("copy pg_class from stdin").await.map(drop).unwrap_err();
    assert_eq!(told(&error).0, "08001");
    assert_eq!(one(&pool).await, 1);
    let error = match pool.copy_out_raw("copy pg_class to stdout").await {
        Ok(stream) => stream.try_collect::<Vec<_>>().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(told(&error).0, "08001");
    assert_eq!(one(&pool).await, 1);
    let error = sqlx::query("select (1, 2)").fetch_all(&pool).await.unwrap_err();
    assert_eq!(told(&error).0, "0A000", "{error}");
    let error = (&pool).execute("select 1; begin").await.unwrap_err();
    assert_eq!(told(&error).0, "08001");
    assert_eq!(one(&pool).await, 1);
}
