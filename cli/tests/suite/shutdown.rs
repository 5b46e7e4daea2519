//! What becomes of a query that is running when its gateway is told to end.

use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use pgferry_test_support::{GatewayProcess, Postgres};

use crate::{PGFERRY, running::Running};

/// It would commit long after the test.
const WRITE: &str = "INSERT INTO written SELECT 1 FROM pg_sleep(90)";

const ACTIVE: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO written%'";

/// Ends a gateway while a query writes through it, by signals, and expects that the query has ended soon after the gateway.
fn end_while_writing(transport: &str, signals: impl FnOnce(&GatewayProcess) -> Result<()>) -> Result<()> {
    let postgres = Postgres::start()?;
    postgres.psql_in("app", "CREATE TABLE written (n int); GRANT ALL ON written TO app")?;
    let mut gateway = GatewayProcess::start(PGFERRY, &postgres, &[])?;
    let url = gateway.ferry(&postgres.url());
    let mut query = Command::new(PGFERRY);
    query.args(["query", &url, WRITE, "--transport", transport]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut query = Running::start(&mut query);
    wait_for(&postgres, "1")?;
    signals(&gateway)?;
    let ended = gateway.wait()?;
    ensure!(ended.success(), "{ended}");
    wait_for(&postgres, "0")?;
    ensure!(postgres.psql_in("app", "SELECT count(*) FROM written")? == "0");
    query.kill();
    Ok(())
}

/// Waits until so many of the queries run.
fn wait_for(postgres: &Postgres, count: &str) -> Result<()> {
    for _ in 0..600 {
        if postgres.psql(ACTIVE)? == count {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("{ACTIVE} never gave {count}")
}

#[test]
fn what_runs_for_too_long_is_cancelled() -> Result<()> {
    end_while_writing("http", GatewayProcess::terminate)
}

#[test]
fn what_runs_over_http_is_cancelled_by_a_second_signal() -> Result<()> {
    end_while_writing("http", |gateway| gateway.terminate().and_then(|()| gateway.interrupt()))
}

#[test]
fn what_runs_over_websocket_is_cancelled_by_a_second_signal() -> Result<()> {
    end_while_writing("websocket", |gateway| gateway.terminate().and_then(|()| gateway.interrupt()))
}
