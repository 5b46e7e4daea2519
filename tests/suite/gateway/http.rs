use anyhow::{Context, Result};
use pgferry::wire::{Client, Startup};
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{Fixture, PATIENCE, answer, wait_for};

#[tokio::test]
async fn a_query_gives_its_rows() -> Result<()> {
    let fixture = Fixture::start().await?;
    let body = json!({ "query": "SELECT $1::int + 1 AS a, $2 AS b, NULL AS c", "params": ["41", "é\n"] });
    let response = fixture.request(&body).send().await?;
    assert!(response.headers().contains_key("neon-request-id"));
    let (status, body) = answer(response).await?;
    assert_eq!(status, 200);
    assert_eq!(body["rows"], json!([["42", "é\n", null]]));
    assert_eq!(body["fields"][0]["dataTypeID"], 23);
    assert_eq!((&body["command"], &body["rowCount"]), (&json!("SELECT"), &json!(1)));
    Ok(())
}

#[tokio::test]
async fn a_batch_is_one_transaction() -> Result<()> {
    let fixture = Fixture::start().await?;
    let queries = json!({ "queries": [
        { "query": "CREATE TABLE gateway_batch (n int)" },
        { "query": "INSERT INTO gateway_batch VALUES ($1)", "params": ["1"] },
        { "query": "SELECT current_setting('transaction_isolation')" },
        { "query": "SELECT 1 / 0" },
    ]});
    let request = || fixture.request(&queries).header("Neon-Batch-Isolation-Level", "Serializable");
    let (status, body) = answer(request().send().await?).await?;
    assert_eq!((status.as_u16(), &body["code"]), (400, &json!("22012")));
    assert_eq!(fixture.rows("SELECT to_regclass('gateway_batch')").await?, json!([[null]]), "not rolled back");

    let mut queries = queries.clone();
    queries["queries"].as_array_mut().context("no queries")?.truncate(3);
    let request = fixture.request(&queries).header("Neon-Batch-Isolation-Level", "Serializable");
    let (status, body) = answer(request.send().await?).await?;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["results"][1]["rowCount"], 1);
    assert_eq!(body["results"][2]["rows"], json!([["serializable"]]));
    assert_eq!(fixture.rows("DROP TABLE gateway_batch").await?, json!([]));
    Ok(())
}

#[tokio::test]
async fn users_types_are_parsed_by_the_catalogue() -> Result<()> {
    let fixture = Fixture::start().await?;
    let batch = json!({ "queries": [
        { "query": "CREATE TYPE gateway_mood AS ENUM ('sad', 'so so')" },
        { "query": "SELECT '{sad,NULL,so so}'::gateway_mood[] AS a, 'sad'::gateway_mood AS b, '{}'::int[] AS c", "arrayMode": true },
        { "query": "DROP TYPE gateway_mood" },
    ]});
    let request =
        fixture.client.post(fixture.gateway.http_url()).header("Neon-Connection-String", fixture.postgres.url());
    let (status, body) = answer(request.json(&batch).send().await?).await?;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["results"][1]["rows"], json!([[["sad", null, "so so"], "sad", []]]));
    Ok(())
}

#[tokio::test]
async fn errors_have_all_fields() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (status, body) = fixture.failure("SELECT nothing").await?;
    assert_eq!((status, &body["code"], &body["position"]), (400, &json!("42703"), &json!("8")));
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(17));

    let wrong = fixture.postgres.url_for("app", "wrong", "app");
    let (status, body) = answer(fixture.request_as(&wrong, &json!({ "query": "SELECT 1" })).send().await?).await?;
    assert_eq!((status.as_u16(), &body["message"]), (400, &json!("password authentication failed for user 'app'")));
    assert_eq!(body["code"], "");

    let nowhere = fixture.postgres.database_url("nowhere");
    let (status, body) = answer(fixture.request_as(&nowhere, &json!({ "query": "SELECT 1" })).send().await?).await?;
    assert_eq!((status.as_u16(), &body["code"], &body["severity"]), (400, &json!("3D000"), &json!("FATAL")));
    Ok(())
}

#[tokio::test]
async fn copy_is_refused_and_harms_nobody() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    for query in ["COPY (SELECT 1) TO STDOUT", "CREATE TABLE gateway_copy (n int)", "COPY gateway_copy FROM STDIN"] {
        if query.starts_with("COPY") {
            let (status, body) = fixture.failure(query).await?;
            assert_eq!(status, 400);
            assert!(body["message"].as_str().is_some_and(|message| message.contains("WebSocket")), "{body}");
        } else {
            fixture.rows(query).await?;
        }
    }
    assert_eq!(fixture.rows("DROP TABLE gateway_copy").await?, json!([]));
    Ok(())
}

#[tokio::test]
async fn a_copy_that_is_refused_is_not_waited_for() -> Result<()> {
    let fixture = Fixture::start().await?;
    // It has begun to send when it sleeps.
    let query = "COPY (SELECT repeat('x', 20000), CASE WHEN n = 2 THEN pg_sleep(600) END FROM generate_series(1, 2) AS n) TO STDOUT";
    let (status, body) = timeout(PATIENCE, fixture.failure(query)).await.context("the COPY was waited for")??;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().is_some_and(|message| message.contains("WebSocket")), "{body}");
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT repeat%' AND state = 'active'";
    wait_for(fixture.postgres, running, "0").await
}

#[tokio::test]
async fn limits_are_kept() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_request_size(200).max_response_size(1_000)).await?;
    let (status, body) = fixture.failure(&format!("SELECT '{}'", "x".repeat(200))).await?;
    assert_eq!(status, 413, "{body}");
    let (status, body) = fixture.failure("SELECT repeat('x', 100), generate_series(1, 100000000)").await?;
    assert_eq!(status, 507, "{body}");
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]), "a session in mid-result was used again");
    Ok(())
}

#[tokio::test]
async fn results_without_rows_keep_to_the_limit() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_response_size(1_000)).await?;
    let empty = json!({ "queries": vec![json!({ "query": "" }); 100] });
    let (status, body) = answer(fixture.request(&empty).send().await?).await?;
    assert_eq!(status, 507, "{body}");
    let columns: Vec<_> = (0..100).map(|column| format!("1 AS column_{column}")).collect();
    let (status, body) = fixture.failure(&format!("SELECT {} LIMIT 0", columns.join(", "))).await?;
    assert_eq!(status, 507, "{body}");
    Ok(())
}

#[tokio::test]
async fn a_message_that_fits_no_response_is_not_taken() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_response_size(1_000)).await?;
    // Of an error, nothing is part of the response's rows: only the bound of a message stands before it.
    let (status, body) = fixture.failure("DO $$BEGIN RAISE EXCEPTION '%', repeat('x', 3000000); END$$").await?;
    assert_eq!(status, 507, "{}", &body.to_string()[..100]);
    assert_eq!(fixture.rows("SELECT 1").await?, json!([["1"]]), "a session in mid-result was used again");
    Ok(())
}

#[tokio::test]
async fn a_write_did_well_whatever_is_known_of_its_types() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    let database = fixture.postgres.create_database()?;
    let sql = "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE moods (a mood[], pid int); \
        GRANT ALL ON moods TO app; REVOKE SELECT ON pg_catalog.pg_type FROM PUBLIC";
    fixture.postgres.psql_in(&database, sql)?;
    let insert = "INSERT INTO moods VALUES ('{sad}', pg_backend_pid()) RETURNING a";
    let request = |body: &Value| {
        let url = fixture.postgres.database_url(&database);
        fixture.client.post(fixture.gateway.http_url()).header("Neon-Connection-String", url).json(body)
    };
    for _ in 0..2 {
        let (status, body) = answer(request(&json!({ "query": insert })).send().await?).await?;
        assert_eq!((status.as_u16(), &body["rows"]), (200, &json!([{ "a": "{sad}" }])), "{body}");
    }
    let counted = fixture.postgres.psql_in(&database, "SELECT count(*), count(DISTINCT pid) FROM moods")?;
    assert_eq!(counted, "2|1", "the session was lost");
    // Inside a transaction the failed look-up has undone the write.
    let batch = json!({ "queries": [{ "query": insert }] });
    let (status, body) = answer(request(&batch).send().await?).await?;
    assert_eq!((status.as_u16(), &body["code"]), (400, &json!("42501")), "{body}");
    assert_eq!(fixture.postgres.psql_in(&database, "SELECT count(*) FROM moods")?, "2");
    Ok(())
}

#[tokio::test]
async fn a_body_is_parsed_for_who_has_logged_in() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    let pid = fixture.rows("SELECT pg_backend_pid()").await?;
    let wrong = fixture.postgres.url_for("app", "wrong", "app");
    let too_many = json!({ "query": "SELECT 1", "params": vec![1; 32_768] });
    for (body, message) in [
        (json!(null), "did not match any variant of untagged enum Payload"),
        (too_many, "a query can have at most 32767 parameters"),
    ] {
        let (status, answered) = answer(fixture.request(&body).send().await?).await?;
        assert_eq!(status, 400);
        assert!(answered["message"].as_str().is_some_and(|text| text.contains(message)), "{answered}");
        let (status, answered) = answer(fixture.request_as(&wrong, &body).send().await?).await?;
        assert_eq!(status, 400);
        assert_eq!(answered["message"], "password authentication failed for user 'app'");
    }
    assert_eq!(fixture.rows("SELECT pg_backend_pid()").await?, pid, "the session was lost");
    Ok(())
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    for (client, version) in [
        (reqwest::Client::builder().http1_only().build()?, reqwest::Version::HTTP_11),
        (reqwest::Client::builder().http2_prior_knowledge().build()?, reqwest::Version::HTTP_2),
    ] {
        fixture.client = client;
        let response = fixture.request(&json!({ "query": "SELECT 1" })).send().await?;
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_query() -> Result<()> {
    let fixture = Fixture::start().await?;
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600), 4711'";
    let body = r#"{"query":"SELECT pg_sleep(600), 4711"}"#;
    let mut tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
    let request = format!(
        "POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Connection-String: {}\r\nContent-Length: {}\r\n\r\n{body}",
        fixture.postgres.url(),
        body.len()
    );
    tcp.write_all(request.as_bytes()).await?;
    wait_for(fixture.postgres, running, "1").await?;
    drop(tcp);
    wait_for(fixture.postgres, running, "0").await
}

#[tokio::test]
async fn a_gateway_that_is_dropped_cancels_what_runs() -> Result<()> {
    let fixture = Fixture::start().await?;
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600), 4712'";
    let request = fixture.request(&json!({ "query": "SELECT pg_sleep(600), 4712" }));
    let sent = tokio::spawn(request.send());
    wait_for(fixture.postgres, running, "1").await?;
    drop(fixture.gateway);
    assert!(sent.await?.is_err(), "an answer came from nowhere");
    wait_for(fixture.postgres, running, "0").await
}

#[tokio::test]
async fn a_shutdown_lets_queries_end() -> Result<()> {
    let fixture = Fixture::start().await?;
    let tcp = TcpStream::connect(("127.0.0.1", fixture.postgres.port())).await?;
    let startup = Startup::new("app", "scram-sha-256".parse()?).database("app").password(fixture.postgres.password());
    let mut holder = Client::connect(tcp, &startup).await?;
    holder.simple_query("SELECT pg_advisory_lock(4713)").await?.finish().await?;

    let sent = tokio::spawn(fixture.request(&json!({ "query": "SELECT pg_advisory_lock(4713), 'done'" })).send());
    wait_for(fixture.postgres, "SELECT count(*) FROM pg_locks WHERE objid = 4713 AND NOT granted", "1").await?;
    let address = fixture.gateway.local_addr();
    let shutdown = tokio::spawn(fixture.gateway.shutdown());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    holder.close().await?;
    let (status, body) = answer(sent.await??).await?;
    assert_eq!((status.as_u16(), &body["rows"]), (200, &json!([["", "done"]])));
    shutdown.await?;
    Ok(())
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_told_of() -> Result<()> {
    // A port that was free a moment ago and that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let gateway = Gateway::bind(GatewayConfig::new(Upstream::new("127.0.0.1", port))).await?;
    let response = reqwest::Client::new()
        .post(gateway.http_url())
        .header("Neon-Connection-String", "postgresql://app:sesame@localhost/app")
        .body(r#"{"query":"SELECT 1"}"#)
        .send()
        .await?;
    let (status, body) = answer(response).await?;
    assert_eq!((status.as_u16(), &body["message"]), (500, &json!("Couldn't connect to compute node")));
    assert!(body["detail"].as_str().is_some_and(|detail| detail.contains(&port.to_string())), "{body}");
    assert!(!body.to_string().contains("sesame"));
    Ok(())
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() -> Result<()> {
    let fixture = Fixture::start().await?;
    let body = r#"{"query":"SELECT 'slow'"}"#;
    let request = format!(
        "POST /sql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nNeon-Connection-String: {}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        fixture.postgres.url(),
        body.len()
    );
    let mut tcp = TcpStream::connect(fixture.gateway.local_addr()).await?;
    tcp.set_nodelay(true)?;
    for byte in request.bytes() {
        tcp.write_u8(byte).await?;
    }
    let mut response = String::new();
    tcp.read_to_string(&mut response).await?;
    let (_, body) = response.split_once("\r\n\r\n").context("no body")?;
    assert_eq!(serde_json::from_str::<Value>(body)?["rows"], json!([{ "?column?": "slow" }]));
    Ok(())
}

#[tokio::test]
async fn a_result_in_another_encoding_is_told_of() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (status, body) = fixture.failure("SELECT set_config('client_encoding', 'LATIN1', false), 'é'").await?;
    assert_eq!(status, 500);
    assert!(body["message"].as_str().is_some_and(|message| message.contains("client_encoding")), "{body}");
    assert_eq!(fixture.rows("SELECT 'é'").await?, json!([["é"]]));
    Ok(())
}
