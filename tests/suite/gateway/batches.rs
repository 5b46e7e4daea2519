//! A batch is sent in few flights, and behaves as if its entries were sent one by one.

use std::time::Duration;

use anyhow::Result;
use pgferry_gateway::{Gateway, Upstream};
use pgferry_test_support::Proxy;
use serde_json::{Value, json};

use super::{Fixture, answer, wait_for};

impl Fixture {
    async fn batch(&self, queries: &[&str]) -> Result<(u16, Value)> {
        let queries: Vec<_> = queries.iter().map(|query| json!({ "query": query })).collect();
        let (status, body) = answer(self.request(&json!({ "queries": queries })).send().await?).await?;
        Ok((status.as_u16(), body))
    }

    /// What a batch leaves in a table of one column.
    async fn left(&self, table: &str) -> Result<Value> {
        let rows = self.rows(&format!("SELECT string_agg(n::text, ',' ORDER BY n) FROM {table}")).await?;
        self.rows(&format!("DROP TABLE {table}")).await?;
        Ok(rows[0][0].clone())
    }
}

#[tokio::test]
async fn a_batch_takes_two_round_trips_however_long_it_is() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let proxy = Proxy::start(([127, 0, 0, 1], fixture.postgres.port()).into(), Duration::from_millis(5))?;
    let upstream = Upstream::new("127.0.0.1", proxy.address().port());
    fixture.gateway = Gateway::bind(pgferry_gateway::GatewayConfig::new(upstream)).await?;
    // The log-in is not the batch's.
    fixture.rows("SELECT 1").await?;
    let before = proxy.flights();
    let texts: Vec<_> = (0..100).map(|number| format!("SELECT {number}, repeat('x', 1000)")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let (status, body) = fixture.batch(&texts).await?;
    assert_eq!((status, &body["results"][99]["rows"][0][0]), (200, &json!("99")), "{body}");
    assert_eq!(body["results"].as_array().map(Vec::len), Some(100));
    // The queries behind their START TRANSACTION, and COMMIT with the reset behind it.
    assert_eq!(proxy.flights() - before, 2);
    Ok(())
}

#[tokio::test]
async fn nothing_behind_a_failure_runs() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    for (name, failing, code) in [
        ("batch_failing", "SELECT 1 / 0", json!("22012")),
        ("batch_unparsed", "SELECT FROM WHERE", json!("42601")),
        ("batch_copying", "COPY batch_nowhere FROM STDIN", json!("42P01")),
    ] {
        fixture.rows(&format!("CREATE TABLE {name} (n int)")).await?;
        let insert = |n: u8| format!("INSERT INTO {name} VALUES ({n})");
        let queries = [&insert(1), failing, &insert(2), "ROLLBACK", &insert(3), "COMMIT", &insert(4)];
        let (status, body) = fixture.batch(&queries).await?;
        assert_eq!((status, &body["code"]), (400, &code), "{body}");
        assert_eq!(fixture.left(name).await?, Value::Null, "{failing}");
    }
    Ok(())
}

#[tokio::test]
async fn copying_ends_a_batch_and_not_its_session() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    let pid = fixture.rows("SELECT pg_backend_pid()").await?;
    fixture.rows("CREATE TABLE batch_copied (n int)").await?;
    for copy in ["COPY batch_copied FROM STDIN", "COPY batch_copied TO STDOUT"] {
        let (status, body) = fixture
            .batch(&["INSERT INTO batch_copied VALUES (1)", copy, "INSERT INTO batch_copied VALUES (2)"])
            .await?;
        assert_eq!(status, 400, "{body}");
        assert!(
            body["message"].as_str().is_some_and(|message| message.starts_with("COPY cannot be carried")),
            "{body}"
        );
        assert_eq!(fixture.rows("SELECT pg_backend_pid()").await?, pid, "{copy} cost the session");
    }
    assert_eq!(fixture.left("batch_copied").await?, Value::Null);
    Ok(())
}

/// As at the reference: what ends the transaction is executed, and each of the others behind it is one of its own.
#[tokio::test]
async fn queries_behind_the_transactions_end_stand_alone() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    fixture.rows("CREATE TABLE batch_ended (n int)").await?;
    let insert = |n: u8| format!("INSERT INTO batch_ended VALUES ({n})");
    let [one, two, three, four, five] = [1, 2, 3, 4, 5].map(insert);
    let (status, body) = fixture.batch(&[&one, "ROLLBACK", &two, &three, "SELECT 1 / 0", &four]).await?;
    assert_eq!((status, &body["code"]), (400, &json!("22012")), "{body}");
    let (status, _) = fixture.batch(&[&four, "COMMIT", &five]).await?;
    assert_eq!(status, 200);
    assert_eq!(fixture.left("batch_ended").await?, json!("2,3,4,5"));
    Ok(())
}

#[tokio::test]
async fn a_batch_whose_response_is_too_large_is_not_committed() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_response_size(10_000)).await?;
    fixture.rows("CREATE TABLE batch_large (n int)").await?;
    let (status, _) = fixture
        .batch(&[
            "INSERT INTO batch_large VALUES (1)",
            "SELECT repeat('x', 20000)",
            "INSERT INTO batch_large VALUES (2)",
        ])
        .await?;
    assert_eq!(status, 507);
    wait_for(fixture.postgres, "SELECT count(*) FROM pg_locks WHERE relation = 'batch_large'::regclass", "0").await?;
    assert_eq!(fixture.left("batch_large").await?, Value::Null);
    Ok(())
}

/// Also where one is larger than what is sent together.
#[tokio::test]
async fn entries_come_back_in_their_order() -> Result<()> {
    let fixture = Fixture::start().await?;
    let large = "x".repeat(300_000);
    let queries: Vec<_> = (0..40)
        .map(|number| {
            let text = if number % 10 == 3 { large.as_str() } else { "y" };
            match number % 4 {
                0 => json!({ "query": "", "params": [] }),
                1 => json!({ "query": "SHOW transaction_isolation" }),
                _ => json!({ "query": "SELECT $1::int, length($2)", "params": [number.to_string(), text] }),
            }
        })
        .collect();
    for raw in ["true", "false"] {
        let request =
            fixture.request(&json!({ "queries": queries })).header("Neon-Batch-Isolation-Level", "Serializable");
        let mut request = request.build()?;
        request.headers_mut().insert("Neon-Raw-Text-Output", raw.parse()?);
        let (status, body) = answer(fixture.client.execute(request).await?).await?;
        assert_eq!(status, 200, "{body}");
        for number in 0..40 {
            let result = &body["results"][number];
            let length = if number % 10 == 3 { 300_000 } else { 1 };
            match number % 4 {
                0 => assert_eq!((&result["command"], &result["rows"]), (&json!(""), &json!([]))),
                1 => assert_eq!(result["rows"], json!([["serializable"]])),
                _ if raw == "true" => assert_eq!(result["rows"], json!([[number.to_string(), length.to_string()]])),
                _ => assert_eq!(result["rows"], json!([[number, length]])),
            }
        }
    }
    Ok(())
}
