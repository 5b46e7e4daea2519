//! A connection that is lost while something runs on it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::TryStreamExt;
use pgferry_sqlx::Transport;
use sqlx::{Connection, PgConnection, PgPool, postgres::PgPoolCopyExt};
use tokio::time::{sleep, timeout};

use super::{Loss, PATIENCE, Stage, expect_lost, is_unknown};

const ALL: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];
const SESSIONS: [Transport; 2] = [Transport::WebSocket, Transport::Auto];

/// Long enough for what was sent to have arrived.
const SOON: Duration = Duration::from_millis(400);

/// The pool goes on as if nothing had been.
async fn expect_recovered(stage: &mut Stage, loss: Loss, pool: &PgPool) -> Result<()> {
    stage.recover(loss)?;
    let answer = timeout(PATIENCE, sqlx::query_scalar::<_, i32>("select 7").fetch_one(pool)).await?;
    ensure!(answer.context("after the loss")? == 7);
    Ok(())
}

async fn in_a_statement(loss: Loss) -> Result<()> {
    for transport in ALL {
        let mut stage = Stage::start()?;
        let pool = stage.pool(transport).await?;
        let statement = sqlx::query("select pg_sleep(600)").execute(&pool);
        let losing = async {
            sleep(SOON).await;
            stage.lose(loss)?;
            anyhow::Ok(Instant::now())
        };
        let (error, _) = tokio::join!(expect_lost("a statement", statement), losing);
        let error = error.with_context(|| format!("{transport:?}"))?;
        ensure!(is_unknown(&error), "{transport:?}: {error:?}");
        expect_recovered(&mut stage, loss, &pool).await.with_context(|| format!("{transport:?}"))?;
    }
    Ok(())
}

async fn in_a_transaction(loss: Loss) -> Result<()> {
    for transport in SESSIONS {
        for commits in [false, true] {
            let mut stage = Stage::start()?;
            stage.psql("create table t (n int); grant all on t to app")?;
            let pool = stage.pool(transport).await?;
            let mut transaction = pool.begin().await?;
            sqlx::query("insert into t values (1)").execute(&mut *transaction).await?;
            stage.lose(loss)?;
            sleep(SOON).await;
            if commits {
                expect_lost("a commit", transaction.commit()).await?;
            } else {
                let insert = sqlx::query("insert into t values (2)").execute(&mut *transaction);
                expect_lost("a statement", insert).await?;
                drop(transaction);
            }
            expect_recovered(&mut stage, loss, &pool).await.with_context(|| format!("{transport:?}"))?;
            // A gateway that was only frozen may have had the COMMIT before it; nothing is ever half there.
            let count = stage.psql("select count(*) from t")?;
            let may_have_committed = commits && loss == Loss::Stopped;
            ensure!(count == "0" || may_have_committed && count == "1", "{transport:?}: {count} rows");
        }
    }
    Ok(())
}

async fn among_rows(loss: Loss) -> Result<()> {
    for transport in ALL {
        let mut stage = Stage::start()?;
        let pool = stage.pool(transport).await?;
        // More than is on its way at any time.
        let text = "select n, repeat('x', 1000) from generate_series(1, 200000) n";
        let mut rows = sqlx::query_as::<_, (i32, String)>(text).fetch(&pool);
        ensure!(rows.try_next().await?.is_some());
        stage.lose(loss)?;
        let rest = async {
            let mut count = 1;
            while let Some((number, _)) = rows.try_next().await? {
                count += 1;
                assert_eq!(number, count, "{transport:?}");
            }
            sqlx::Result::Ok(count)
        };
        let error = expect_lost("reading on", rest).await.with_context(|| format!("{transport:?}"))?;
        // Within a message nothing can be told: the socket is closed.
        ensure!(is_unknown(&error) || matches!(error, sqlx::Error::Io(_)), "{transport:?}: {error:?}");
        drop(rows);
        expect_recovered(&mut stage, loss, &pool).await.with_context(|| format!("{transport:?}"))?;
    }
    Ok(())
}

async fn in_a_copy(loss: Loss) -> Result<()> {
    for transport in SESSIONS {
        let mut stage = Stage::start()?;
        stage.psql("create table t (n text); grant all on t to app")?;
        let pool = stage.pool(transport).await?;
        let mut copy = pool.copy_in_raw("copy t from stdin").await?;
        copy.send(&b"first\n"[..]).await?;
        stage.lose(loss)?;
        sleep(SOON).await;
        let rest = async {
            copy.send(&b"second\n"[..]).await?;
            copy.finish().await
        };
        expect_lost("a COPY", rest).await.with_context(|| format!("{transport:?}"))?;
        expect_recovered(&mut stage, loss, &pool).await.with_context(|| format!("{transport:?}"))?;
        let count = stage.psql("select count(*) from t")?;
        ensure!(count == "0" || loss == Loss::Stopped && count == "2", "{transport:?}: {count} rows");
    }
    Ok(())
}

macro_rules! losses {
    ($($name:ident: $loss:ident),* $(,)?) => {
        $(mod $name {
            use super::{Loss, Result};

            #[tokio::test]
            async fn in_a_statement() -> Result<()> {
                super::in_a_statement(Loss::$loss).await
            }

            #[tokio::test]
            async fn in_a_transaction() -> Result<()> {
                super::in_a_transaction(Loss::$loss).await
            }

            #[tokio::test]
            async fn among_rows() -> Result<()> {
                super::among_rows(Loss::$loss).await
            }

            #[tokio::test]
            async fn in_a_copy() -> Result<()> {
                super::in_a_copy(Loss::$loss).await
            }
        })*
    };
}

losses!(killed: Killed, stopped: Stopped, cut: Cut, closed: Closed);

/// As natively: a server that takes its time is waited for.
#[tokio::test]
async fn without_a_limit_a_frozen_gateway_is_waited_for() -> Result<()> {
    for transport in ALL {
        let mut stage = Stage::start()?;
        let config = stage.config(transport)?.request_timeout(None);
        let pool = pgferry_sqlx::pool(config).await?;
        let answer = sqlx::query_scalar::<_, i32>("select 7 from pg_sleep(0.5)").fetch_one(&pool);
        let mut answer = std::pin::pin!(answer);
        ensure!(timeout(Duration::from_millis(200), &mut answer).await.is_err());
        stage.lose(Loss::Stopped)?;
        ensure!(timeout(Duration::from_secs(3), &mut answer).await.is_err(), "{transport:?}");
        stage.recover(Loss::Stopped)?;
        ensure!(timeout(PATIENCE, answer).await?? == 7, "{transport:?}");
    }
    Ok(())
}

/// A program that pools in its own way sees at once that its connection is of no more use.
#[tokio::test]
async fn the_local_socket_closes_with_the_remote_one() -> Result<()> {
    for loss in [Loss::Killed, Loss::Closed] {
        let mut stage = Stage::start()?;
        let (options, _guard) = pgferry_sqlx::connect_options(stage.config(Transport::WebSocket)?)?;
        let mut connection = PgConnection::connect_with(&options).await?;
        connection.ping().await?;
        stage.lose(loss)?;
        sleep(SOON).await;
        if timeout(PATIENCE, connection.ping()).await?.is_ok() {
            bail!("{loss:?}: a ping was answered for a server that is gone");
        }
    }
    Ok(())
}
