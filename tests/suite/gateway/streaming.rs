//! Large responses go on while their query runs.

use anyhow::{Context, Result};
use pgferry::wire::{Client, Startup};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{Fixture, answer, wait_for};

/// Rows of 1 KiB each, of which the gateway holds a thousand back.
const ROWS: &str = "SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) AS n";

#[tokio::test]
async fn a_large_response_is_whole() -> Result<()> {
    let fixture = Fixture::start().await?;
    let rows = fixture.rows(ROWS).await?;
    let rows = rows.as_array().context("no rows")?;
    assert_eq!(rows.len(), 20_000);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row[0], (index + 1).to_string());
        assert_eq!(row[1].as_str().map(str::len), Some(1000));
    }
    Ok(())
}

#[tokio::test]
async fn the_results_of_a_large_batch_are_whole() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    let queries = json!({ "queries": [{ "query": ROWS }, { "query": "SELECT 1" }, { "query": ROWS }] });
    let request = fixture.request(&queries).header("Neon-Batch-Read-Only", "true");
    let response = request.send().await?;
    assert_eq!(response.headers().get("Neon-Batch-Read-Only").map(|value| value.as_bytes()), Some(&b"true"[..]));
    let (status, body) = answer(response).await?;
    assert_eq!(status, 200);
    let counts: Vec<_> = (0..3).map(|result| body["results"][result]["rowCount"].clone()).collect();
    assert_eq!(counts, [json!(20_000), json!(1), json!(20_000)]);
    assert_eq!(fixture.rows("SELECT 2").await?, json!([["2"]]));
    Ok(())
}

#[tokio::test]
async fn rows_go_on_before_the_query_has_ended() -> Result<()> {
    let fixture = Fixture::start().await?;
    // It holds a lock that its second part waits for, so that it cannot end before it is let.
    let lock = 7_201;
    let postgres = fixture.postgres;
    let startup = Startup::new("app", "scram-sha-256".parse()?).database("app").password(postgres.password());
    let mut holder = Client::connect(TcpStream::connect(("127.0.0.1", postgres.port())).await?, &startup).await?;
    holder.simple_query(&format!("SELECT pg_advisory_lock({lock})")).await?.finish().await?;
    let query = format!("{ROWS} UNION ALL SELECT 0, pg_advisory_xact_lock({lock})::text");
    let mut response = fixture.request(&json!({ "query": query })).send().await?;
    let mut body = Vec::new();
    while body.len() < 10_000_000 {
        body.extend_from_slice(&response.chunk().await?.context("the response ended")?);
    }
    holder.simple_query(&format!("SELECT pg_advisory_unlock({lock})")).await?.finish().await?;
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    let body: Value = serde_json::from_slice(&body)?;
    assert_eq!(body["rowCount"], 20_001);
    Ok(())
}

#[tokio::test]
async fn a_query_that_fails_early_has_a_status() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (status, body) =
        fixture.failure("SELECT 1 / (500 - n), repeat('x', 1000) FROM generate_series(1, 1000) AS n").await?;
    assert_eq!((status, &body["code"]), (400, &json!("22012")));
    Ok(())
}

#[tokio::test]
async fn a_query_that_fails_late_ends_in_its_error() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    let query = "SELECT 1 / (19000 - n), repeat('x', 1000) FROM generate_series(1, 20000) AS n";
    let response = fixture.request(&json!({ "query": query })).send().await?;
    assert_eq!(response.status(), 200);
    let text = response.text().await?;
    assert!(serde_json::from_str::<Value>(&text).is_err(), "a part could be taken for the whole");
    let error = text.rfind("]{").and_then(|at| text.get(at + 1..)).context("no error")?;
    let error: Value = serde_json::from_str(error)?;
    assert_eq!((&error["status"], &error["code"]), (&json!(400), &json!("22012")));

    let config = pgferry::Config::new().http_url(fixture.gateway.http_url());
    let config = config.host("localhost").user("app").dbname("app").password(fixture.postgres.password());
    let client = pgferry::http::Client::new(&config)?;
    let error = client.query(query, &[]).await.err().context("it did well")?;
    assert_eq!(error.code().map(|code| code.as_str()), Some("22012"), "{error}");
    assert_eq!(error.outcome(), pgferry::Outcome::Failed);
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]));
    Ok(())
}

#[tokio::test]
async fn a_response_that_nobody_reads_any_more_ends_its_query() -> Result<()> {
    let fixture = Fixture::start().await?;
    let query = "SELECT generate_series(1, 100000000), repeat('x', 1000) AS nobody_reads_this";
    let mut response = fixture.request(&json!({ "query": query })).send().await?;
    response.chunk().await?.context("no rows")?;
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT generate%nobody_reads_this%' AND state = 'active'";
    wait_for(fixture.postgres, running, "1").await?;
    drop(response);
    wait_for(fixture.postgres, running, "0").await
}

#[tokio::test]
async fn a_response_beyond_the_limit_ends_in_its_error() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1).max_response_size(5_000_000)).await?;
    let text = fixture.request(&json!({ "query": ROWS })).send().await?.text().await?;
    assert!(text.contains(r#"]{"status":507,"message":"response is too large"#), "{}", &text[text.len() - 500..]);
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]), "a session in mid-result was used again");
    Ok(())
}
