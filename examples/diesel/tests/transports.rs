//! The examples, over each transport.

use pgferry_diesel::Transport;
use pgferry_example_diesel::{batch, migrations, pool, sync};
use pgferry_test_support::Stage;

const TRANSPORTS: [Transport; 3] = [Transport::WebSocket, Transport::Auto, Transport::Http];

/// A database of its own, and the URL to it over each transport.
fn urls() -> impl Iterator<Item = (Transport, Stage, String)> {
    TRANSPORTS.into_iter().map(|transport| {
        let stage = Stage::start();
        let url = format!("{}&transport={transport}", stage.url());
        (transport, stage, url)
    })
}

/// What is left in the database.
fn left(stage: &Stage) -> String {
    stage.psql(
        "select coalesce(string_agg(relname, ' '), '') from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r'",
    )
}

#[test]
fn a_connection_that_blocks() -> anyhow::Result<()> {
    for (transport, stage, url) in urls() {
        let lines = sync::run(&url)?;
        let moved = if transport == Transport::Http { "use transport=websocket" } else { "2 are where they were" };
        assert!(lines.last().is_some_and(|line| line.ends_with(moved)), "{transport} {lines:?}");
        assert_eq!(left(&stage), "", "{transport}");
    }
    Ok(())
}

#[tokio::test]
async fn a_pool() -> anyhow::Result<()> {
    for (transport, stage, url) in urls() {
        let lines = pool::run(&url).await?;
        assert_eq!(lines.last().map(String::as_str), Some("30 soundings of less than 10 fathoms"), "{transport}");
        assert_eq!(left(&stage), "", "{transport}");
    }
    Ok(())
}

#[test]
fn a_batch() -> anyhow::Result<()> {
    for (transport, stage, url) in urls() {
        let lines = batch::run(&url)?;
        assert_eq!(lines.last().map(String::as_str), Some("ann still has 70"), "{transport}");
        assert_eq!(left(&stage), "", "{transport}");
    }
    Ok(())
}

#[test]
fn migrations_at_start_up() -> anyhow::Result<()> {
    for (transport, stage, url) in urls() {
        assert_eq!(migrations::run(&url)?.len(), 3, "{transport}");
        assert_eq!(left(&stage), "__diesel_schema_migrations", "{transport}");
        assert_eq!(stage.psql("select count(*) from __diesel_schema_migrations"), "0", "{transport}");
    }
    Ok(())
}
