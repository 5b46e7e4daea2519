//! What sessions over WebSocket see of a gateway that shuts down.

use anyhow::{Context, Result};
use pgferry::wire::{Client, Event, Statement};
use pgferry_gateway::WsAuth;
use tokio::io::AsyncReadExt;

use super::{Fixture, wait_for};

#[tokio::test]
async fn an_idle_session_is_told() -> Result<()> {
    for (ws_auth, method) in [(WsAuth::Cleartext, "password"), (WsAuth::Relay, "scram-sha-256")] {
        let fixture = Fixture::start_with(|config| config.ws_auth(ws_auth)).await?;
        let mut client = Client::connect(fixture.websocket().await?, &fixture.startup(method)?).await?;
        client.ping().await?;
        let (mut stream, mut said) = client.into_parts();
        let shutdown = tokio::spawn(fixture.gateway.shutdown());
        // Up to the Close frame, which is the end of the stream.
        while stream.read_buf(&mut said).await? > 0 {}
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.starts_with('E') && said.contains("C57P01\0") && said.contains("shutting down"), "{said:?}");
        drop(stream);
        shutdown.await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_query_ends_first() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut client = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    let mut holder = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    // In a transaction, which is given time to end.
    holder.simple_query("BEGIN; SELECT pg_advisory_xact_lock(4741)").await?.finish().await?;
    let statement = Statement::new("SELECT pg_advisory_lock(4741), 'done'");
    let mut execution = client.execute(&statement).await?;
    let waiting = "SELECT count(*) FROM pg_locks WHERE objid = 4741 AND NOT granted";
    tokio::select! {
        event = async { loop { if let Ok(Some(Event::Row(_))) = execution.next().await { break } } } => anyhow::bail!("{event:?}"),
        seen = wait_for(fixture.postgres, waiting, "1") => seen?,
    }
    let shutdown = tokio::spawn(fixture.gateway.shutdown());
    holder.simple_query("COMMIT").await?.finish().await?;
    let mut rows = 0;
    while let Some(event) = execution.next().await? {
        rows += usize::from(matches!(event, Event::Row(_)));
    }
    assert_eq!(rows, 1);
    let told = client.ping().await.err().context("the session goes on")?;
    assert_eq!(told.code().map(|code| code.as_str()), Some("57P01"), "{told}");
    drop(holder);
    shutdown.await?;
    Ok(())
}
