use sqlx::Executor;

use super::{Counted, one, told};

/// HTTP cannot carry them, which it notices when they come.
#[tokio::test]
async fn a_result_that_http_cannot_carry_comes_from_a_session() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    for _ in 0..2 {
        let record: (i32, String) = sqlx::query_scalar("select row(1, 'a'::text)").fetch_one(&pool).await.unwrap();
        assert_eq!(record, (1, "a".into()));
    }
    assert_eq!(one(&pool).await, 1);
    assert_eq!(counted.opened(), 1);
}

#[tokio::test]
async fn functions_that_only_read_are_called_again() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create function pair(i int, out a int, out b text) stable language sql as $$ select i, 'b' $$")
        .await
        .unwrap();
    let pair: (i32, String) = sqlx::query_scalar("select pair(upper('1')::int)").fetch_one(&pool).await.unwrap();
    assert_eq!(pair, (1, "b".into()));
    assert_eq!(counted.opened(), 1);
}

#[tokio::test]
async fn what_may_have_written_is_never_executed_again() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute(
        "create table t (i int);
         create function put(i int, out a int, out b text) language plpgsql as
         $$ begin insert into t values (i); a := i; b := 'b'; end $$",
    )
    .await
    .unwrap();
    for statement in ["select put(1)", "insert into t values (2) returning (i, 'b'::text)"] {
        let error = sqlx::query(statement).fetch_all(&pool).await.unwrap_err();
        let (code, message) = told(&error);
        assert_eq!(code, "08007", "{message}");
        assert!(message.contains("the statement has run"), "{message}");
        assert_eq!(counted.stage.psql("select count(*) from t; truncate t").lines().next(), Some("1"), "{statement}");
    }
    // Now that it is known, they go where they can be answered.
    let put: (i32, String) = sqlx::query_scalar("select put(1)").fetch_one(&pool).await.unwrap();
    assert_eq!(put, (1, "b".into()));
    assert_eq!(counted.stage.psql("select count(*) from t"), "1");
    assert_eq!(one(&pool).await, 1);
}
