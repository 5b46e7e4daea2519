//! Sessions whose server process is frozen, as one behind a network that has gone silent seems to be.

use std::{process::Command, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Fixture, PATIENCE, answer};

/// A process of the server that is frozen until this is dropped.
struct Frozen(String);

impl Frozen {
    fn freeze(pid: &Value) -> Result<Self> {
        let frozen = Self(pid[0][0].as_str().context("no process id")?.to_owned());
        ensure!(frozen.signal("STOP"), "{} cannot be frozen", frozen.0);
        Ok(frozen)
    }

    /// Lets it run again after a while.
    fn thaw_after(self, pause: Duration) {
        thread::spawn(move || {
            thread::sleep(pause);
            drop(self);
        });
    }

    fn signal(&self, name: &str) -> bool {
        Command::new("kill").args(["-s", name, &self.0]).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("CONT");
    }
}

#[tokio::test]
async fn a_silent_session_is_replaced() -> Result<()> {
    let fixture = Fixture::start().await?;
    let pid = fixture.rows("SELECT pg_backend_pid()").await?;
    // Until the session is reset, and is not taken for alive because it was used a moment ago.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let _frozen = Frozen::freeze(&pid)?;
    let other = tokio::time::timeout(PATIENCE, fixture.rows("SELECT pg_backend_pid()")).await??;
    assert_ne!(other, pid);
    Ok(())
}

/// A gateway that may open one connection, before a database that takes one, and a role.
async fn narrow(database: &str, role: &str, idle_timeout: Duration) -> Result<(Fixture, Vec<String>)> {
    let fixture = Fixture::start_with(|config| config.max_connections(1).idle_timeout(idle_timeout)).await?;
    fixture.postgres.psql(&format!("CREATE DATABASE {database} CONNECTION LIMIT 1"))?;
    let mut urls = Vec::new();
    for role in [format!("{role}_a"), format!("{role}_b")] {
        fixture.postgres.psql(&format!("CREATE ROLE {role} LOGIN PASSWORD 'sesame'"))?;
        urls.push(fixture.postgres.url_for(&role, "sesame", database));
    }
    Ok((fixture, urls))
}

async fn pid(fixture: &Fixture, url: &str) -> Result<Value> {
    let request = fixture.request_as(url, &json!({ "query": "SELECT pg_backend_pid()" }));
    let (status, mut body) = answer(request.send().await?).await?;
    ensure!(status == 200, "{status}: {body}");
    Ok(body["rows"].take())
}

#[tokio::test]
async fn a_connection_gives_way_once_the_server_has_closed_it() -> Result<()> {
    let (fixture, urls) = narrow("gateway_narrow", "gateway_narrow", Duration::from_secs(60)).await?;
    let first = pid(&fixture, &urls[0]).await?;
    Frozen::freeze(&first)?.thaw_after(Duration::from_millis(200));
    assert_ne!(pid(&fixture, &urls[1]).await?, first);
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_being_closed_counts() -> Result<()> {
    let (fixture, urls) = narrow("gateway_tidied", "gateway_tidied", Duration::from_millis(200)).await?;
    let first = pid(&fixture, &urls[0]).await?;
    let frozen = Frozen::freeze(&first)?;
    // Until it has been idle for too long.
    tokio::time::sleep(Duration::from_millis(500)).await;
    frozen.thaw_after(Duration::from_millis(200));
    assert_ne!(pid(&fixture, &urls[1]).await?, first);
    Ok(())
}
