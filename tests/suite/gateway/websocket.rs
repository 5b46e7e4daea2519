use std::time::Duration;

use anyhow::{Context, Result};
use pgferry::{
    config::RequireAuth,
    websocket::{ByteStream, connect_on},
    wire::{Client, Event, Startup, Statement, cancel},
};
use pgferry_gateway::WsAuth;
use tokio::net::TcpStream;

use super::{Fixture, PATIENCE, wait_for};

impl Fixture {
    pub(super) async fn websocket(&self) -> Result<ByteStream<TcpStream>> {
        let tcp = TcpStream::connect(self.gateway.local_addr()).await?;
        Ok(connect_on(tcp, &self.gateway.ws_url().parse()?).await?)
    }

    pub(super) fn startup(&self, require_auth: &str) -> Result<Startup> {
        let require_auth: RequireAuth = require_auth.parse()?;
        Ok(Startup::new("app", require_auth).database("app").password(self.postgres.password()))
    }
}

async fn value(client: &mut Client<ByteStream<TcpStream>>, text: &str) -> Result<String> {
    let mut execution = client.execute(&Statement::new(text)).await?;
    let mut value = None;
    while let Some(event) = execution.next().await? {
        if let Event::Row(row) = event {
            let text = row.values().next().flatten().context("NULL")?;
            value = Some(String::from_utf8(text.to_vec())?);
        }
    }
    value.context("no row")
}

#[tokio::test]
async fn callers_log_in_by_either_way() -> Result<()> {
    for (ws_auth, require_auth, pipeline) in [
        (WsAuth::Cleartext, "password", false),
        (WsAuth::Cleartext, "password", true),
        (WsAuth::Relay, "scram-sha-256", false),
    ] {
        let fixture = Fixture::start_with(|config| config.ws_auth(ws_auth)).await?;
        let startup =
            fixture.startup(require_auth)?.pipeline_password(pipeline).parameter("TimeZone", "Asia/Kathmandu");
        let mut client = Client::connect(fixture.websocket().await?, &startup).await?;
        assert_eq!(value(&mut client, "SELECT session_user").await?, "app");
        assert_eq!(value(&mut client, "SHOW TimeZone").await?, "Asia/Kathmandu");
        assert_eq!(client.parameter("TimeZone"), Some("Asia/Kathmandu"));
        client.simple_query("BEGIN").await?.finish().await?;
        assert_eq!(value(&mut client, "SELECT length(repeat('x', 3000000))").await?, "3000000");
        assert_eq!(value(&mut client, "SELECT repeat('x', 3000000)").await?.len(), 3_000_000);
        client.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn refused_log_ins_say_why() -> Result<()> {
    for (ws_auth, require_auth) in [(WsAuth::Cleartext, "password"), (WsAuth::Relay, "scram-sha-256")] {
        let fixture = Fixture::start_with(|config| config.ws_auth(ws_auth)).await?;
        let wrong = fixture.startup(require_auth)?.password("wrong");
        let error = Client::connect(fixture.websocket().await?, &wrong).await.err().context("let in")?;
        assert_eq!(error.code().map(|code| code.as_str()), Some("28P01"), "{error}");
        let nowhere = fixture.startup(require_auth)?.database("nowhere");
        let error = Client::connect(fixture.websocket().await?, &nowhere).await.err().context("let in")?;
        assert_eq!(error.code().map(|code| code.as_str()), Some("3D000"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_websocket_cancels() -> Result<()> {
    let fixture = Fixture::start().await?;
    let startup = fixture.startup("password")?;
    let mut client = Client::connect(fixture.websocket().await?, &startup).await?;
    let key = client.backend_key().context("no key")?;
    let statement = Statement::new("SELECT pg_sleep(600), 4714");
    let mut execution = client.execute(&statement).await?;
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600), 4714'";
    let (cancelled, seen) = tokio::join!(
        tokio::time::timeout(PATIENCE, async {
            loop {
                if let Err(error) = execution.next().await {
                    return error;
                }
            }
        }),
        async {
            wait_for(fixture.postgres, running, "1").await?;
            cancel(fixture.websocket().await?, key).await?;
            Ok::<_, anyhow::Error>(())
        }
    );
    seen?;
    assert_eq!(cancelled?.code().map(|code| code.as_str()), Some("57014"));
    Ok(())
}

#[tokio::test]
async fn sessions_end_with_their_upstream() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut client = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    let pid = value(&mut client, "SELECT pg_backend_pid()").await?;
    let terminated = fixture.postgres.psql(&format!("SELECT pg_terminate_backend({pid})"))?;
    assert_eq!(terminated, "t");
    let ended = tokio::time::timeout(PATIENCE, async {
        while value(&mut client, "SELECT 1").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    ended.await.context("the session outlived its upstream")
}

#[tokio::test]
async fn sessions_end_with_their_client() -> Result<()> {
    let fixture = Fixture::start().await?;
    let startup = fixture.startup("password")?.parameter("application_name", "gateway 4715");
    let client = Client::connect(fixture.websocket().await?, &startup).await?;
    let there = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gateway 4715'";
    wait_for(fixture.postgres, there, "1").await?;
    drop(client);
    wait_for(fixture.postgres, there, "0").await
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_query() -> Result<()> {
    for (ws_auth, require_auth, number) in
        [(WsAuth::Cleartext, "password", 4716), (WsAuth::Relay, "scram-sha-256", 4718)]
    {
        let fixture = Fixture::start_with(|config| config.ws_auth(ws_auth)).await?;
        let mut client = Client::connect(fixture.websocket().await?, &fixture.startup(require_auth)?).await?;
        let text = format!("SELECT pg_sleep(600), {number}");
        let running = format!("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '{text}'");
        let statement = Statement::new(&text);
        let mut execution = client.execute(&statement).await?;
        tokio::select! {
            event = execution.next() => anyhow::bail!("the query ended: {event:?}"),
            seen = wait_for(fixture.postgres, &running, "1") => seen?,
        }
        drop(client);
        wait_for(fixture.postgres, &running, "0").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_is_dropped_cancels_what_runs() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut client = Client::connect(fixture.websocket().await?, &fixture.startup("password")?).await?;
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600), 4717'";
    let statement = Statement::new("SELECT pg_sleep(600), 4717");
    let mut execution = client.execute(&statement).await?;
    tokio::select! {
        event = execution.next() => anyhow::bail!("the query ended: {event:?}"),
        seen = wait_for(fixture.postgres, running, "1") => seen?,
    }
    drop(fixture.gateway);
    wait_for(fixture.postgres, running, "0").await
}
