//! Nothing of a request survives it, and no session serves anybody but whom it was opened for.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{Fixture, answer, wait_for};

#[tokio::test]
async fn nothing_survives_a_request() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    let pid = fixture.rows("SELECT pg_backend_pid()").await?;
    for (leave, look, clean) in [
        ("SET statement_timeout = 77", "SELECT current_setting('statement_timeout')", json!([["0"]])),
        (
            "SELECT set_config('TimeZone', 'Asia/Kathmandu', false)",
            "SELECT current_setting('TimeZone')",
            json!([["UTC"]]),
        ),
        ("CREATE TEMPORARY TABLE left_over (n int)", "SELECT to_regclass('left_over')", json!([[null]])),
        (
            "PREPARE left_over AS SELECT 1",
            "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''",
            json!([["0"]]),
        ),
        ("SELECT pg_advisory_lock(471100)", "SELECT count(*) FROM pg_locks WHERE objid = 471100", json!([["0"]])),
        ("LISTEN left_over", "SELECT count(*) FROM pg_listening_channels()", json!([["0"]])),
        ("SET ROLE pg_read_all_data", "SELECT current_user = session_user", json!([["t"]])),
    ] {
        // What the role may not do is not left behind either.
        let _ = fixture.request(&json!({ "query": leave })).send().await?;
        assert_eq!(fixture.rows(look).await?, clean, "{leave}");
        assert_eq!(fixture.rows("SELECT pg_backend_pid()").await?, pid, "{leave} cost the session");
    }
    Ok(())
}

/// Also when no other request follows.
#[tokio::test]
async fn a_request_leaves_no_lock_behind() -> Result<()> {
    let fixture = Fixture::start().await?;
    for query in [
        "SELECT pg_advisory_lock(471101)",
        "WITH a AS (SELECT pg_advisory_lock(471101)) SELECT 1 / count(*) * 0 FROM a",
        "SELECT 1 / (pg_advisory_lock(471101)::text = 'never')::int",
        "/* seen as nothing plain */ SELECT pg_advisory_lock(471101)",
    ] {
        fixture.request(&json!({ "query": query })).send().await?;
        wait_for(fixture.postgres, "SELECT count(*) FROM pg_locks WHERE objid = 471101", "0").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_transaction_is_not_left_open() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    fixture.rows("CREATE TABLE gateway_open (n int)").await?;
    fixture.rows("BEGIN").await?;
    fixture.rows("INSERT INTO gateway_open VALUES (1)").await?;
    assert_eq!(fixture.postgres.psql("SELECT count(*) FROM gateway_open; DROP TABLE gateway_open")?, "1");
    Ok(())
}

#[tokio::test]
async fn sessions_belong_to_their_credentials() -> Result<()> {
    let fixture = Fixture::start().await?;
    let who = json!({ "query": "SELECT session_user, current_database()" });
    let superuser = fixture.postgres.superuser_url();
    let other = fixture.postgres.create_database()?;
    for (url, user, database) in [
        (fixture.postgres.url(), "app", "app"),
        (superuser, "postgres", "app"),
        (fixture.postgres.database_url(&other), "app", other.as_str()),
        (fixture.postgres.url(), "app", "app"),
    ] {
        let (status, body) = answer(fixture.request_as(&url, &who).send().await?).await?;
        assert_eq!((status.as_u16(), &body["rows"]), (200, &json!([[user, database]])));
    }
    // With an idle session of the right password at hand.
    for wrong in ["wrong", "", &fixture.postgres.password()[1..]] {
        let url = fixture.postgres.url_for("app", wrong, "app");
        let (status, body) = answer(fixture.request_as(&url, &who).send().await?).await?;
        assert_eq!(status, 400, "{wrong:?} was let in: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_query_leaves_its_session_usable() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.pool_size(1)).await?;
    let pid = fixture.rows("SELECT pg_backend_pid()").await?;
    fixture.failure("SELECT 1 / 0").await?;
    assert_eq!(fixture.rows("SELECT pg_backend_pid()").await?, pid);
    fixture.failure("SELECT pg_terminate_backend(pg_backend_pid())").await?;
    assert_ne!(fixture.rows("SELECT pg_backend_pid()").await?, pid);
    Ok(())
}

#[tokio::test]
async fn a_session_does_not_outlive_its_time() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_lifetime(Duration::ZERO)).await?;
    fixture.postgres.psql("CREATE ROLE gateway_changing LOGIN PASSWORD 'sesame'")?;
    let url = fixture.postgres.url_for("gateway_changing", "sesame", "app");
    let ask = async |query: &str| -> Result<_> {
        answer(fixture.request_as(&url, &json!({ "query": query })).send().await?).await
    };
    assert_eq!(ask("SHOW statement_timeout").await?.1["rows"], json!([["0"]]));
    fixture.postgres.psql("ALTER ROLE gateway_changing SET statement_timeout = '77s'")?;
    assert_eq!(ask("SHOW statement_timeout").await?.1["rows"], json!([["77s"]]));
    fixture.postgres.psql("ALTER ROLE gateway_changing PASSWORD 'another'")?;
    let (status, body) = ask("SELECT 1").await?;
    assert_eq!(status, 400, "the old password is still good: {body}");
    fixture.postgres.psql("DROP ROLE gateway_changing")?;
    Ok(())
}

#[tokio::test]
async fn a_session_that_the_server_ended_is_given_to_nobody() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.postgres.psql("CREATE ROLE gateway_ended LOGIN PASSWORD 'sesame'")?;
    let url = fixture.postgres.url_for("gateway_ended", "sesame", "app");
    let ask = async || answer(fixture.request_as(&url, &json!({ "query": "SELECT 1" })).send().await?).await;
    for _ in 0..5 {
        assert_eq!(ask().await?.0, 200);
        let ended =
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE usename = 'gateway_ended'";
        assert_eq!(fixture.postgres.psql(ended)?, "1");
    }
    let (status, body) = ask().await?;
    assert_eq!(status, 200, "{body}");
    Ok(())
}
