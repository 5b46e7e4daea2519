use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use super::Counted;

/// Longer than an idle session is kept, by much more than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_idle_session_is_closed_and_its_statements_live_on() {
    let counted = Counted::start();
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let mut connection = PgConnection::connect_with(&options.application_name("visitor")).await.unwrap();
    let add = |i: i32| sqlx::query_scalar::<_, i32>("select 1 + $1").bind(i);
    let only_inside = |i: i32| sqlx::query_scalar::<_, i32>("select 2 + $1").bind(i);
    assert_eq!(add(1).fetch_one(&mut connection).await.unwrap(), 2);
    for round in 1..=2 {
        let mut transaction = connection.begin().await.unwrap();
        assert_eq!(add(2).fetch_one(&mut *transaction).await.unwrap(), 3);
        assert_eq!(only_inside(2).fetch_one(&mut *transaction).await.unwrap(), 4);
        assert_eq!(counted.sessions("visitor"), 1);
        transaction.commit().await.unwrap();
        let since = Instant::now();
        while counted.sessions("visitor") > 0 {
            assert!(since.elapsed() < PATIENCE, "the session is still there");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(add(3).fetch_one(&mut connection).await.unwrap(), 4);
        assert_eq!(only_inside(3).fetch_one(&mut connection).await.unwrap(), 5);
        assert_eq!(counted.opened(), round);
    }
}

#[tokio::test]
async fn a_session_in_which_something_is_kept_stays() {
    let counted = Counted::start();
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let options = options.application_name("keeper");
    let connect = || PgConnection::connect_with(&options);
    let (mut temporary, mut setting, mut open) = tokio::try_join!(connect(), connect(), connect()).unwrap();
    sqlx::query("create temporary table kept as select 7 as i").execute(&mut temporary).await.unwrap();
    sqlx::query("set search_path = 'elsewhere'").execute(&mut setting).await.unwrap();
    let transaction = open.begin().await.unwrap();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(counted.sessions("keeper"), 3);
    drop(transaction);
    let kept: i32 = sqlx::query_scalar("select i from kept").fetch_one(&mut temporary).await.unwrap();
    assert_eq!(kept, 7);
    let path: String = sqlx::query_scalar("show search_path").fetch_one(&mut setting).await.unwrap();
    assert_eq!(path, "elsewhere");
    assert_eq!(counted.opened(), 3);
}
