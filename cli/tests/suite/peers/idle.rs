//! A connection that is lost while nothing runs on it.

use std::time::Duration;

use anyhow::{Context, Result};
use pgferry_sqlx::Transport;
use tokio::time::{sleep, timeout};

use super::{Loss, PATIENCE, Stage};

/// So long ago that nobody takes a connection for alive because something was heard on it just now.
const LONG: Duration = Duration::from_secs(4);

/// Costs the pool a reconnect, and its user nothing: several times, each on what the last has left.
async fn costs_no_error(loss: Loss, transport: Transport, pause: Duration) -> Result<()> {
    let mut stage = Stage::start()?;
    let pool = stage.pool(transport).await?;
    for round in 0..3_i32 {
        let query = sqlx::query_scalar::<_, i32>("select $1::int4").bind(round);
        let answer = timeout(PATIENCE, query.fetch_one(&pool)).await?;
        assert_eq!(answer.with_context(|| format!("{loss:?} {transport:?}, round {round}"))?, round);
        if transport == Transport::Auto && round == 1 {
            // From here on there is a session.
            sqlx::raw_sql("begin; commit").execute(&pool).await?;
        }
        // What the pool does with a connection that was given back.
        sleep(Duration::from_millis(100)).await;
        stage.lose(loss)?;
        sleep(pause).await;
        stage.recover(loss)?;
    }
    Ok(())
}

async fn costs_no_error_over_any(loss: Loss, pause: Duration) -> Result<()> {
    for transport in [Transport::Http, Transport::WebSocket, Transport::Auto] {
        costs_no_error(loss, transport, pause).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_gateway_that_is_back_costs_no_error() -> Result<()> {
    costs_no_error_over_any(Loss::Killed, Duration::from_millis(100)).await
}

#[tokio::test]
async fn a_connection_that_was_closed_costs_no_error() -> Result<()> {
    costs_no_error_over_any(Loss::Closed, Duration::from_millis(300)).await
}

#[tokio::test]
async fn a_gateway_that_was_frozen_costs_no_error() -> Result<()> {
    costs_no_error_over_any(Loss::Stopped, LONG).await
}

/// Over HTTP nothing can be known of an idle connection before a request is sent on it, but it is not kept for long.
#[tokio::test]
async fn a_way_that_was_cut_long_ago_costs_no_error() -> Result<()> {
    costs_no_error(Loss::Cut, Transport::WebSocket, LONG).await
}
