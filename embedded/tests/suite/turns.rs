//! Sessions side by side.

use std::time::Duration;

use anyhow::Result;
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use sqlx::{
    Connection, Executor,
    postgres::{PgConnectOptions, PgPoolCopyExt, PgPoolOptions},
};

use crate::{code, connect, options, start, start_impatient, text};

async fn pool(options: PgConnectOptions) -> sqlx::Result<sqlx::PgPool> {
    PgPoolOptions::new().max_connections(5).acquire_timeout(Duration::from_secs(60)).connect_with(options).await
}

async fn transfer(pool: sqlx::PgPool) -> sqlx::Result<()> {
    for _ in 0..5 {
        let mut transaction = pool.begin().await?;
        let count: i32 = sqlx::query_scalar("select count from t").fetch_one(&mut *transaction).await?;
        sqlx::query("update t set count = $1").bind(count + 1).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

#[tokio::test]
async fn transactions_of_a_pool_take_turns() -> Result<()> {
    let server = start()?;
    let pool = pool(options(&server)).await?;
    pool.execute("create table t as select 0 as count").await?;
    let tasks: Vec<_> = (0..10).map(|_| tokio::spawn(transfer(pool.clone()))).collect();
    for task in tasks {
        task.await??;
    }
    assert_eq!(sqlx::query_scalar::<_, i32>("select count from t").fetch_one(&pool).await?, 50);
    Ok(())
}

#[tokio::test]
async fn who_waits_in_vain_is_told_why_and_goes_on() -> Result<()> {
    let server = start_impatient()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    let mut transaction = a.begin().await?;
    text(&mut transaction, "select 'a'").await?;
    let error = text(&mut b, "select 'b'").await.unwrap_err();
    assert_eq!(code(&error), "55P03");
    assert!(format!("{error:?}").contains("has a transaction open"), "{error:?}");
    assert_eq!(code(&b.execute("select 1; select 2").await.unwrap_err()), "55P03");
    transaction.commit().await?;
    assert_eq!(text(&mut b, "select 'b'").await?.as_deref(), Some("b"));
    Ok(())
}

#[tokio::test]
async fn a_session_that_vanishes_in_a_transaction_holds_nobody_up() -> Result<()> {
    let server = start()?;
    let (mut a, mut b) = (connect(&server).await?, connect(&server).await?);
    a.execute("create table t (id int)").await?;
    a.execute("begin; insert into t values (1)").await?;
    drop(a);
    assert_eq!(text(&mut b, "select count(*)::text from t").await?.as_deref(), Some("0"));
    Ok(())
}

#[tokio::test]
async fn copies_stream_both_ways_and_leave_the_session_usable() -> Result<()> {
    let server = start()?;
    let pool = pool(options(&server)).await?;
    pool.execute("create table t (id int)").await?;
    for _ in 0..2 {
        let mut copy = pool.copy_in_raw("copy t from stdin").await?;
        copy.send("1\n2\n".repeat(50_000).into_bytes()).await?;
        assert_eq!(copy.finish().await?, 100_000);
    }
    let mut copy = pool.copy_in_raw("copy t from stdin").await?;
    copy.send("one\n".as_bytes()).await?;
    assert_eq!(code(&copy.finish().await.unwrap_err()), "22P02");
    assert_eq!(sqlx::query_scalar::<_, i64>("select sum(id) from t").fetch_one(&pool).await?, 300_000);
    Ok(())
}

#[tokio::test]
async fn an_error_in_a_statement_leaves_the_session_usable() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    for _ in 0..3 {
        let error = sqlx::query("select 1 / $1").bind(0).execute(&mut session).await.unwrap_err();
        assert_eq!(code(&error), "22012");
        assert_eq!(code(&session.execute("select nothing").await.unwrap_err()), "42703");
        assert_eq!(text(&mut session, "select repeat('x', 1000000)").await?.map(|text| text.len()), Some(1_000_000));
    }
    Ok(())
}

#[tokio::test]
async fn the_gateway_serves_http_and_websocket_in_front_of_it_at_once() -> Result<()> {
    let server = start()?;
    let upstream = Upstream::new("127.0.0.1", server.address().port());
    let gateway = Gateway::bind(GatewayConfig::new(upstream)).await?;
    let direct = pool(options(&server)).await?;
    direct.execute("create table t (id int)").await?;
    let url = |transport: &str| {
        format!(
            "postgresql://{}:{}@127.0.0.1/{}?http_url={}&ws_url={}&transport={transport}",
            server.user(),
            server.password(),
            server.database(),
            gateway.http_url(),
            gateway.ws_url(),
        )
    };
    let http = pgferry_sqlx::pool(url("http").as_str()).await?;
    let websocket = pgferry_sqlx::pool(url("websocket").as_str()).await?;
    let tasks: Vec<_> = (0..30_i32)
        .map(|number| {
            let pool = match number % 3 {
                0 => http.clone(),
                1 => websocket.clone(),
                _ => direct.clone(),
            };
            tokio::spawn(async move { sqlx::query("insert into t values ($1)").bind(number).execute(&pool).await })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    for pool in [&http, &websocket, &direct] {
        let who: (String, i64) =
            sqlx::query_as("select current_user::text, (select sum(id) from t)").fetch_one(pool).await?;
        assert_eq!(who, ("app".to_owned(), 435));
    }
    Ok(())
}
