use sqlx::{Connection, Executor, PgConnection};

use super::Counted;

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "pair")]
struct Narrow {
    a: i32,
    b: i32,
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "pair")]
struct Wide {
    a: i64,
    b: i32,
}

/// What carries the others' statements over HTTP must hear of it, too.
#[tokio::test]
async fn a_type_changed_in_a_session_is_read_as_it_is_over_http() {
    let counted = Counted::start();
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let connect = || PgConnection::connect_with(&options);
    let mut changing = connect().await.unwrap();
    changing.execute("create type pair as (a int4, b int4)").await.unwrap();
    let read = "select row(7, 8)::pair";
    let before: Narrow = sqlx::query_scalar(read).fetch_one(&mut changing).await.unwrap();
    assert_eq!(before, Narrow { a: 7, b: 8 });
    let mut transaction = changing.begin().await.unwrap();
    transaction.execute("alter type pair alter attribute a type int8").await.unwrap();
    transaction.commit().await.unwrap();
    let after: Wide = sqlx::query_scalar(read).fetch_one(&mut connect().await.unwrap()).await.unwrap();
    assert_eq!(after, Wide { a: 7, b: 8 });
    assert_eq!(counted.opened(), 1);
}
