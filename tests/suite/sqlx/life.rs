//! How long things live: pools, the endpoints behind them, and connections.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use pgferry_sqlx::{PgPoolOptionsExt, Transport};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgPoolOptions};

use super::Road;
use pgferry_test_support::{Stage, TestCa, TestGateway};

fn socket_directory(pool: &PgPool) -> PathBuf {
    pool.connect_options().get_socket().expect("a Unix socket").clone()
}

async fn expect_gone(directory: &Path) {
    for _ in 0..600 {
        if !directory.exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} is still there", directory.display());
}

#[cfg(unix)]
#[tokio::test]
async fn the_endpoint_is_private_and_ends_with_its_pool() {
    use std::os::unix::fs::PermissionsExt;

    let stage = Stage::start();
    for road in Road::FERRIED {
        let pool = road.pool(&stage).await;
        let directory = socket_directory(&pool);
        assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        pool.close().await;
        expect_gone(&directory).await;

        let dropped = road.pool(&stage).await;
        let directory = socket_directory(&dropped);
        assert!(directory.exists());
        drop(dropped);
        expect_gone(&directory).await;
    }
}

#[tokio::test]
async fn a_client_without_the_password_is_turned_away() {
    let stage = Stage::start();
    let pool = Road::Http.pool(&stage).await;
    let options = (*pool.connect_options()).clone().password("guessed");
    let error = PgConnection::connect_with(&options).await.unwrap_err();
    assert_eq!(
        error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned())).as_deref(),
        Some("28P01")
    );
}

#[tokio::test]
async fn the_clients_own_database_and_application_name_are_honoured() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let (options, _guard) = pgferry_sqlx::connect_options(road.config(&stage)).unwrap();
        let options = options.database("template1").application_name("my app").options([("statement_timeout", "1234")]);
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        let seen: (String, String, String) =
            sqlx::query_as("select current_database()::text, current_setting('application_name'), current_setting('statement_timeout')")
                .fetch_one(&mut connection)
                .await
                .unwrap();
        assert_eq!(seen, ("template1".into(), "my app".into(), "1234ms".into()), "{road:?}");
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_the_url_asks_of_a_session_is_in_force() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let config =
            road.config(&stage).application_name("shop").options("-c statement_timeout=4321 -c search_path=a,\\ b");
        let pool = pgferry_sqlx::pool(&config).await.unwrap();
        let seen: (String, String, String) = sqlx::query_as(
            "select current_setting('application_name'), current_setting('statement_timeout'), current_setting('search_path')",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(seen, ("shop".into(), "4321ms".into(), "a, b".into()), "{road:?}");
        let error = sqlx::query("select 1 from nowhere").execute(&pool).await.unwrap_err();
        let error = error.as_database_error().unwrap();
        let position = error.downcast_ref::<sqlx::postgres::PgDatabaseError>().position();
        assert_eq!(position, Some(sqlx::postgres::PgErrorPosition::Original(15)), "{road:?}");
    }
}

#[tokio::test]
async fn connections_opened_before_the_guard_is_dropped_go_on() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let (options, guard) = pgferry_sqlx::connect_options(road.config(&stage)).unwrap();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        drop(guard);
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await.unwrap();
        assert_eq!(one, 1, "{road:?}");
        assert!(PgConnection::connect_with(&options).await.is_err(), "{road:?}");
    }
}

#[tokio::test]
async fn a_pool_outlives_the_runtime_that_opened_it() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        let config = road.config(&stage);
        // Another thread, since a runtime cannot be entered from within one.
        let options = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let (options, guard) = pgferry_sqlx::connect_options(config).unwrap();
            runtime.block_on(async { PgConnection::connect_with(&options).await.unwrap().close().await.unwrap() });
            (options, guard)
        });
        let (options, _guard) = options.join().unwrap();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i32>("select 1").fetch_one(&mut connection).await.unwrap(), 1, "{road:?}");
    }
}

#[tokio::test]
async fn options_of_the_pool_are_kept() {
    let stage = Stage::start();
    let config = stage.config().transport(Transport::Http);
    let pool = PgPoolOptions::new().max_connections(5).connect_over(&config).await.unwrap();
    assert_eq!(pool.options().get_max_connections(), 5);
    let lazy = PgPoolOptions::new().max_connections(1).connect_lazy_over(&config).unwrap();
    assert_eq!(lazy.size(), 0);
    assert_eq!(sqlx::query_scalar::<_, i32>("select 1").fetch_one(&lazy).await.unwrap(), 1);
}

#[tokio::test]
async fn unread_results_do_not_stop_other_statements() {
    expect_others_to_go_on(&Stage::start()).await;
}

/// With TLS the four statements over HTTP share one HTTP/2 connection.
#[tokio::test]
async fn unread_results_do_not_stop_other_statements_on_the_same_connection() {
    let ca = TestCa::new().unwrap();
    expect_others_to_go_on(&Stage::with(|postgres| TestGateway::start_tls(postgres, &ca))).await;
}

async fn expect_others_to_go_on(stage: &Stage) {
    for road in Road::FERRIED {
        let pool = &PgPoolOptions::new().max_connections(5).connect_over(road.config(stage)).await.unwrap();
        let mut unread = Vec::new();
        for _ in 0..3 {
            let mut rows =
                sqlx::query_scalar::<_, String>("select repeat('x', 100000) from generate_series(1, 100)").fetch(pool);
            assert!(rows.try_next().await.unwrap().is_some());
            unread.push(rows);
        }
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(pool).await.unwrap();
        assert_eq!(one, 1, "{road:?}");
        for rows in unread {
            assert_eq!(rows.try_fold(0, |count, _| async move { Ok(count + 1) }).await.unwrap(), 99, "{road:?}");
        }
    }
}
