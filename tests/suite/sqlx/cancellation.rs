//! What becomes of a statement that nobody waits for any more; sqlx over TCP is the control.

use std::{
    future::Future,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::{TryStreamExt, future::join_all};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::time::{sleep, timeout};

use super::Road;
#[cfg(unix)]
use pgferry::bridge::{Address, Bridge, Verification};
use pgferry_sqlx::PgPoolOptionsExt;
use pgferry_test_support::Stage;

const SHORT: Duration = Duration::from_millis(150);

/// Longer than anything here waits for, so that what ends sooner was ended.
const FOR_EVER: &str = "select pg_sleep(600)";

/// A pool of a single connection, so that each statement meets what the one before has left.
async fn single(road: Road, stage: &Stage) -> PgPool {
    let options = PgPoolOptions::new().max_connections(1);
    match road {
        Road::Tcp => options.connect(&stage.postgres_url()).await,
        _ => options.connect_over(road.config(stage)).await,
    }
    .unwrap()
}

/// Drops a future that is not ready in so short a time.
async fn abandon<T>(future: impl Future<Output = T>) {
    assert!(timeout(SHORT, future).await.is_err(), "the statement ended before it could be abandoned");
}

/// How many statements run whose text begins so.
fn running(stage: &Stage, beginning: &str) -> usize {
    let found = stage.psql(&format!(
        "select count(*) from pg_stat_activity
         where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like '%{beginning}%'"
    ));
    found.parse().unwrap()
}

async fn wait_for_running(stage: &Stage, beginning: &str, count: usize) {
    let began = Instant::now();
    while running(stage, beginning) != count {
        assert!(began.elapsed() < Duration::from_secs(30), "{count} times {beginning:?} was never seen");
        sleep(Duration::from_millis(20)).await;
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

#[tokio::test]
async fn a_dropped_future_lets_its_statement_end_and_the_next_one_wait() {
    let stage = Stage::start();
    stage.psql("create table abandoned (road text); grant all on abandoned to app");
    for road in Road::ALL {
        let pool = single(road, &stage).await;
        let insert = "insert into abandoned select $1 from pg_sleep(0.6)";
        for count in 1..=2_i64 {
            abandon(sqlx::query(insert).bind(format!("{road:?}")).execute(&pool)).await;
            let seen: i64 = sqlx::query_scalar("select count(*) from abandoned where road = $1")
                .bind(format!("{road:?}"))
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(seen, count, "{road:?}");
        }
    }
}

#[tokio::test]
async fn statements_of_one_connection_never_run_at_once() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = single(road, &stage).await;
        let mut connection = pool.acquire().await.unwrap();
        let alone = "select pg_try_advisory_xact_lock(1), pg_sleep($1)::text";
        for round in 0..12_u64 {
            let statement = sqlx::query_scalar::<_, bool>(alone).bind(0.05_f64);
            let given = timeout(Duration::from_millis(5 * round), statement.fetch_one(&mut *connection)).await;
            if let Ok(answer) = given {
                assert!(answer.unwrap(), "{road:?}: another statement held the lock");
            }
        }
        let statement = sqlx::query_scalar::<_, bool>(alone).bind(0.0_f64);
        assert!(statement.fetch_one(&mut *connection).await.unwrap(), "{road:?}");
    }
}

#[tokio::test]
async fn a_pool_of_one_survives_timeouts_at_any_moment() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = single(road, &stage).await;
        for number in 0..150_i32 {
            let text =
                if number % 3 == 0 { format!("select $1::int4 + {number}") } else { "select $1::int4 * 2".into() };
            let expected = if number % 3 == 0 { number + number } else { number * 2 };
            let query = sqlx::query_scalar::<_, i32>(sqlx::AssertSqlSafe(text)).bind(number);
            let patience = Duration::from_micros(u64::from(number.unsigned_abs()) * 97 % 9000);
            if let Ok(answer) = timeout(patience, query.fetch_one(&pool)).await {
                assert_eq!(answer.unwrap(), expected, "{road:?}");
            }
        }
        assert_eq!(sqlx::query_scalar::<_, i32>("select 7").fetch_one(&pool).await.unwrap(), 7, "{road:?}");
    }
}

#[tokio::test]
async fn rows_that_nobody_reads_to_the_end_are_no_bar_to_the_next_statement() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = single(road, &stage).await;
        for number in 0..3_i32 {
            let rows = "select repeat('x', 10000) from generate_series(1, 1000)";
            let mut rows = sqlx::query_scalar::<_, String>(rows).fetch(&pool);
            assert_eq!(rows.try_next().await.unwrap().map(|row| row.len()), Some(10_000), "{road:?}");
            drop(rows);
            let answer: i32 = sqlx::query_scalar("select $1").bind(number).fetch_one(&pool).await.unwrap();
            assert_eq!(answer, number, "{road:?}");
        }
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_with_its_statement_is_rolled_back() {
    let stage = Stage::start();
    stage.psql("create table half (n int); grant all on half to app");
    for road in Road::SESSIONS {
        let pool = single(road, &stage).await;
        let mut transaction = pool.begin().await.unwrap();
        sqlx::query("insert into half values (1)").execute(&mut *transaction).await.unwrap();
        abandon(sqlx::query("insert into half select 2 from pg_sleep(0.5)").execute(&mut *transaction)).await;
        drop(transaction);
        let seen: i64 = sqlx::query_scalar("select count(*) from half").fetch_one(&pool).await.unwrap();
        assert_eq!(seen, 0, "{road:?}");
        // Outside the transaction, too.
        sqlx::query("insert into half values (3)").execute(&pool).await.unwrap();
        assert_eq!(stage.psql("delete from half returning n"), "3", "{road:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_dropped_takes_its_statement_with_it() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let (options, _guard) = pgferry_sqlx::connect_options(road.config(&stage)).unwrap();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        let mut statement = Box::pin(sqlx::query(FOR_EVER).execute(&mut connection));
        tokio::select! {
            ended = &mut statement => panic!("{road:?}: {ended:?}"),
            () = wait_for_running(&stage, "pg_sleep(600)", 1) => {}
        }
        drop(statement);
        assert_eq!(running(&stage, "pg_sleep(600)"), 1, "{road:?}: dropping the future alone tells the server nothing");
        drop(connection);
        wait_for_running(&stage, "pg_sleep(600)", 0).await;
    }
}

#[tokio::test]
async fn a_transaction_whose_connection_is_dropped_is_rolled_back_at_once() {
    let stage = Stage::start();
    stage.psql("create table gone (n int); grant all on gone to app");
    for road in Road::SESSIONS.into_iter().filter(|road| *road != Road::Tcp) {
        let (options, _guard) = pgferry_sqlx::connect_options(road.config(&stage)).unwrap();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("begin; insert into gone values (1)").execute(&mut connection).await.unwrap();
        abandon(sqlx::query(FOR_EVER).execute(&mut connection)).await;
        drop(connection);
        wait_for_running(&stage, "pg_sleep(600)", 0).await;
        // It takes a lock that the transaction would hold.
        stage.psql("set lock_timeout = '20s'; truncate gone");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_psql_has_its_statement_cancelled() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let bridge = Bridge::start(&road.config(&stage), Verification::Connect).unwrap();
        let Address::Unix { directory, .. } = bridge.address() else { panic!("no Unix socket") };
        let psql = Command::new("psql")
            .args(["--no-psqlrc", "-At", "-U", "app", "-d", stage.database(), "-c", FOR_EVER])
            .arg("-h")
            .arg(directory)
            .env("PGPASSWORD", bridge.password().reveal())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_running(&stage, "pg_sleep(600)", 1).await;
        let id = psql.id().to_string();
        assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
        let output = tokio::task::spawn_blocking(move || psql.wait_with_output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("canceling statement due to user request"), "{road:?}: {said}");
        wait_for_running(&stage, "pg_sleep(600)", 0).await;
    }
}

#[tokio::test]
async fn a_statement_that_someone_else_cancels_fails_as_it_does_natively() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = single(road, &stage).await;
        let waiting = sqlx::query(FOR_EVER).execute(&pool);
        let cancelling = async {
            wait_for_running(&stage, "pg_sleep(600)", 1).await;
            stage.psql(
                "select pg_cancel_backend(pid) from pg_stat_activity
                 where state = 'active' and pid <> pg_backend_pid() and query like '%pg_sleep(600)%'",
            )
        };
        let (ended, _) = tokio::join!(waiting, cancelling);
        let error = ended.unwrap_err();
        assert_eq!(code(&error).as_deref(), Some("57014"), "{road:?}: {error}");
        assert_eq!(sqlx::query_scalar::<_, i32>("select 7").fetch_one(&pool).await.unwrap(), 7, "{road:?}");
    }
}

#[tokio::test]
async fn the_servers_own_limit_is_in_force() {
    let stage = Stage::start();
    for road in Road::ALL {
        let config = road.config(&stage).options("-c statement_timeout=200");
        let pool = match road {
            Road::Tcp => {
                let options: sqlx::postgres::PgConnectOptions = stage.postgres_url().parse().unwrap();
                PgPoolOptions::new().connect_with(options.options([("statement_timeout", "200")])).await.unwrap()
            }
            _ => pgferry_sqlx::pool(config).await.unwrap(),
        };
        let error = sqlx::query(FOR_EVER).execute(&pool).await.unwrap_err();
        assert_eq!(code(&error).as_deref(), Some("57014"), "{road:?}: {error}");
        assert!(error.to_string().contains("statement timeout"), "{road:?}: {error}");
    }
}

#[tokio::test]
async fn one_deadline_holds_for_every_statement_and_the_pool_goes_on() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let config = road.config(&stage).request_timeout(Some(Duration::from_secs(2)));
        let pool = PgPoolOptions::new().max_connections(1).connect_over(config).await.unwrap();
        // Rows that stall are no answer either.
        let stalled = "select repeat('x', 100000), pg_sleep(case when n > 20 then 600 else 0 end)::text
                       from generate_series(1, 30) n";
        for text in [FOR_EVER, stalled] {
            let mut rows = sqlx::query(text).fetch(&pool);
            let error = loop {
                match rows.try_next().await {
                    Ok(row) => assert!(row.is_some(), "{road:?}: {text} came to an end"),
                    Err(error) => break error,
                }
            };
            drop(rows);
            assert!(error.to_string().contains("within 2s"), "{road:?}: {error}");
            assert_eq!(code(&error).as_deref(), Some("08007"), "{road:?}: {error}");
            wait_for_running(&stage, "pg_sleep(", 0).await;
            assert_eq!(sqlx::query_scalar::<_, i32>("select 7").fetch_one(&pool).await.unwrap(), 7, "{road:?}");
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_has_not_missed_the_deadline() {
    let stage = Stage::start();
    let reads_late = async |road: Road| {
        // Far more than what is sent takes, also on a busy machine.
        let config = road.config(&stage).request_timeout(Some(Duration::from_secs(5)));
        let pool = pgferry_sqlx::pool(config).await.unwrap();
        let rows = "select repeat('x', 100000) from generate_series(1, 200)";
        let mut rows = sqlx::query_scalar::<_, String>(rows).fetch(&pool);
        assert!(rows.try_next().await.unwrap().is_some(), "{road:?}");
        sleep(Duration::from_secs(6)).await;
        let rest = rows.try_fold(0, |count, _| async move { Ok(count + 1) }).await;
        assert_eq!(rest.unwrap(), 199, "{road:?}");
    };
    join_all(Road::FERRIED.map(reads_late)).await;
}
