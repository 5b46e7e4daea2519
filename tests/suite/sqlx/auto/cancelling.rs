use std::time::{Duration, Instant};

use pgferry_sqlx::PgPoolOptionsExt;
use sqlx::postgres::PgPoolOptions;

use super::{Counted, one};

/// How long a cancelled statement may go on for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn expect_nothing_running(counted: &Counted) {
    let since = Instant::now();
    loop {
        let running = counted.stage.psql(&format!(
            "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(60)%' and datname = '{}' and \
             pid <> pg_backend_pid()",
            counted.stage.database()
        ));
        if running == "0" {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "it still runs");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What sqlx gives up is still read by the connection's next use, so it ends with its connection only.
#[tokio::test]
async fn a_closed_connection_ends_what_it_runs_on_either_transport() {
    let counted = Counted::start();
    for in_session in [false, true] {
        let pool = PgPoolOptions::new().max_connections(1).connect_over(counted.config()).await.unwrap();
        let mut connection = pool.acquire().await.unwrap();
        if in_session {
            sqlx::query("set application_name = 'sleeper'").execute(&mut *connection).await.unwrap();
        }
        let sleep = sqlx::query("select pg_sleep(60)").execute(&mut *connection);
        tokio::time::timeout(Duration::from_millis(1500), sleep).await.unwrap_err();
        drop(connection.detach());
        expect_nothing_running(&counted).await;
        assert_eq!(one(&pool).await, 1);
    }
}
