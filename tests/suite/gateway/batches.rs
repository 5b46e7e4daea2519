//! A batch is sent in few flights, and behaves as if its entries were sent one by one.

use std::time::Duration;

use anyhow::Result;
use pgferry_gateway::{Gateway, Upstream};
use pgferry_test_support::Proxy;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

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
async fn parsed_results_cost_a_round_trip_more_and_new_types_one_once() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let proxy = Proxy::start(([127, 0, 0, 1], fixture.postgres.port()).into(), Duration::from_millis(5))?;
    let upstream = Upstream::new("127.0.0.1", proxy.address().port());
    fixture.gateway = Gateway::bind(pgferry_gateway::GatewayConfig::new(upstream)).await?;
    let database = fixture.postgres.create_database()?;
    fixture.postgres.psql_in(&database, "CREATE TYPE mood AS ENUM ('sad')")?;
    let url = fixture.postgres.database_url(&database);
    let (query, batch) = ("SELECT '{sad}'::mood[] AS a", "SELECT 1 AS a");
    let query = (json!({ "query": query }), json!({ "rows": [{ "a": ["sad"] }] }));
    let batch = (json!({ "queries": [{ "query": batch }] }), json!({ "rows": [{ "a": 1 }] }));
    let mut cost = Vec::new();
    for (body, expected) in [&batch, &query, &query, &batch] {
        let before = proxy.flights();
        let request = fixture.client.post(fixture.gateway.http_url()).header("Neon-Connection-String", &url);
        let (status, body) = answer(request.json(body).send().await?).await?;
        let result = if body["results"].is_array() { &body["results"][0] } else { &body };
        assert_eq!((status.as_u16(), &result["rows"]), (200, &expected["rows"]), "{body}");
        cost.push(proxy.flights() - before);
    }
    // The first has the log-in to pay as well.
    assert_eq!(cost[1..], [3, 2, 3]);
    Ok(())
}

/// A Postgres whose connection breaks when it is told of `text`.
async fn breaking_at(port: u16, text: &'static [u8]) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { break };
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let up = async {
                    let mut said = Vec::new();
                    while from_client.read_buf(&mut said).await? > 0 {
                        if said.windows(text.len()).any(|part| part == text) {
                            return Ok(());
                        }
                        to_server.write_all(&said).await?;
                        said.clear();
                    }
                    std::io::Result::Ok(())
                };
                tokio::select! {
                    _ = up => {}
                    _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    Ok(address.port())
}

#[tokio::test]
async fn a_batch_that_committed_is_not_said_to_have_left_nothing() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let port = breaking_at(fixture.postgres.port(), b"SELECT 'the end'").await?;
    fixture.gateway = Gateway::bind(pgferry_gateway::GatewayConfig::new(Upstream::new("127.0.0.1", port))).await?;
    fixture.rows("CREATE TABLE batch_broken (n int)").await?;
    let insert = json!({ "query": "INSERT INTO batch_broken VALUES (1)" });
    let end = json!({ "query": "SELECT 'the end'" });
    for (queries, message) in [
        (json!([insert, end]), "Couldn't connect to compute node"),
        (
            json!([insert, { "query": "COMMIT" }, end]),
            "the connection to Postgres was lost: the statement may have run",
        ),
    ] {
        let request =
            fixture.client.post(fixture.gateway.http_url()).header("Neon-Connection-String", fixture.postgres.url());
        let (_, body) = answer(request.json(&json!({ "queries": queries })).send().await?).await?;
        assert_eq!(body["message"], message);
    }
    assert_eq!(fixture.left("batch_broken").await?, "1");
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
async fn copying_ends_a_batch() -> Result<()> {
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
        if copy.ends_with("STDIN") {
            assert_eq!(fixture.rows("SELECT pg_backend_pid()").await?, pid, "{copy} cost the session");
        }
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
