//! Large responses go on while their query runs.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use pgferry::wire::{Client, Startup};
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use pgferry_test_support::Postgres;
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

const MIB: usize = 1024 * 1024;

/// How much a response may add to the gateway's memory, in bytes: what is held back, the sockets' pieces and some room.
const BOUND: usize = 16 * MIB;

/// Tells the test, started again as a process of its own, which port of 127.0.0.1 its server listens on.
const PORT: &str = "PGFERRY_GATEWAY_BEFORE";

#[tokio::test]
async fn a_response_takes_little_memory_however_large_it_is_and_whoever_reads_it() -> Result<()> {
    if let Ok(port) = env::var(PORT) {
        return gateway_alone(port.parse()?).await;
    }
    let postgres = Postgres::shared()?;
    let query = json!({ "query": "SELECT repeat('x', 1000) FROM generate_series(1, 65000)" });
    for http2 in [false, true] {
        for read in [true, false] {
            let name = "a_response_takes_little_memory_however_large_it_is_and_whoever_reads_it";
            let gateway = GatewayAlone::start(name, postgres)?;
            let client = reqwest::Client::builder();
            let client = if http2 { client.http2_prior_knowledge() } else { client.http1_only() }.build()?;
            let post = |body: &Value| {
                client.post(&gateway.url).header("Neon-Connection-String", postgres.url()).json(body).send()
            };
            assert_eq!(post(&json!({ "query": "SELECT 1" })).await?.status(), 200);
            let before = gateway.peak()?;
            let mut response = post(&query).await?;
            let mut length = 0;
            if read {
                while let Some(chunk) = response.chunk().await? {
                    length += chunk.len();
                }
                assert!(length > 61 * MIB, "only {length} bytes came");
            } else {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let added = gateway.peak()?.saturating_sub(before);
            assert!(added < BOUND, "HTTP/2 {http2}, read {read}: {} KiB", added / 1024);
        }
    }
    Ok(())
}

#[tokio::test]
async fn nor_does_one_whose_types_have_to_be_looked_up() -> Result<()> {
    if let Ok(port) = env::var(PORT) {
        return gateway_alone(port.parse()?).await;
    }
    let postgres = Postgres::shared()?;
    let database = postgres.create_database()?;
    postgres.psql_in(&database, "CREATE TYPE mood AS ENUM ('a')")?;
    let gateway = GatewayAlone::start("nor_does_one_whose_types_have_to_be_looked_up", postgres)?;
    let client = reqwest::Client::new();
    let post = |query: &str| {
        let request = client.post(&gateway.url).header("Neon-Connection-String", postgres.database_url(&database));
        request.json(&json!({ "query": query })).send()
    };
    assert_eq!(post("SELECT 1").await?.status(), 200);
    let before = gateway.peak()?;
    let mut response = post("SELECT 'a'::mood, repeat('x', 1000) FROM generate_series(1, 65000)").await?;
    let mut length = 0;
    while let Some(chunk) = response.chunk().await? {
        length += chunk.len();
    }
    assert!(length > 61 * MIB, "only {length} bytes came");
    let added = gateway.peak()?.saturating_sub(before);
    assert!(added < BOUND, "{} KiB", added / 1024);
    Ok(())
}

/// A gateway in a process of its own, whose memory is its alone.
struct GatewayAlone {
    process: Child,
    url: String,
}

impl GatewayAlone {
    /// Starts the test `name` again, which is to run [`gateway_alone`].
    fn start(name: &str, postgres: &Postgres) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args([&format!("gateway::streaming::{name}"), "--exact", "--nocapture"])
            .env(PORT, postgres.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("no output")?;
        let mut gateway = Self { process, url: String::new() };
        for line in BufReader::new(output).lines() {
            let line = line?;
            if let Some((_, url)) = line.split_once("url=") {
                url.clone_into(&mut gateway.url);
                return Ok(gateway);
            }
        }
        anyhow::bail!("the gateway did not start")
    }

    /// The peak of its memory until now, in bytes.
    fn peak(&self) -> Result<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        Ok(1024 * line.trim().trim_end_matches("kB").trim().parse::<usize>()?)
    }
}

impl Drop for GatewayAlone {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until the test that started this process has ended, in whatever way.
async fn gateway_alone(port: u16) -> Result<()> {
    let config = GatewayConfig::new(Upstream::new("127.0.0.1", port)).max_response_size(1024 * MIB);
    let gateway = Gateway::bind(config).await?;
    announce(&gateway.http_url());
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
    gateway.shutdown().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
fn announce(url: &str) {
    println!("url={url}");
}
