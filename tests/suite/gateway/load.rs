//! Many clients at once, with enough connections to Postgres and with too few; `cargo xtask load` does it for longer.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use pgferry::wire::{Client, Statement};
use serde_json::json;
use tokio::{sync::Barrier, task::JoinSet};

use super::{Fixture, answer};

/// How many of each kind there are.
const CLIENTS: usize = 30;

/// How many requests or statements each of them sends.
const REPETITIONS: usize = 20;

const QUERY: &str = "SELECT n, n::text FROM generate_series(1, 10) AS n";

/// What became of a session: `Err` has the SQLSTATE with which it was refused.
type Opened = std::result::Result<(), String>;

impl Fixture {
    /// Lets all clients work at once, requires that every HTTP request does well, and returns what became of the sessions.
    async fn serve_many(self) -> Result<Vec<Opened>> {
        let fixture = Arc::new(self);
        let (mut clients, mut sessions) = (JoinSet::new(), JoinSet::new());
        let decided = Arc::new(Barrier::new(CLIENTS));
        for _ in 0..CLIENTS {
            let (shared, decided) = (Arc::clone(&fixture), Arc::clone(&decided));
            sessions.spawn(async move { shared.session(&decided).await });
            let shared = Arc::clone(&fixture);
            clients.spawn(async move {
                for _ in 0..REPETITIONS {
                    let (status, body) = answer(shared.request(&json!({ "query": QUERY })).send().await?).await?;
                    assert_eq!((status.as_u16(), &body["rowCount"]), (200, &json!(10)), "{body}");
                }
                anyhow::Ok(())
            });
        }
        clients.join_all().await.into_iter().collect::<Result<()>>()?;
        sessions.join_all().await.into_iter().collect()
    }

    /// A session keeps its connection until it is decided of each whether it is served.
    async fn session(&self, decided: &Barrier) -> Result<Opened> {
        let opened = Client::connect(self.websocket().await?, &self.startup("password")?).await;
        decided.wait().await;
        let mut session = match opened {
            Ok(session) => session,
            Err(error) => return Ok(Err(error.code().context(error.to_string())?.as_str().to_owned())),
        };
        for _ in 0..REPETITIONS {
            let tag = session.execute(&Statement::new(QUERY)).await?.finish().await?;
            assert_eq!(tag, "SELECT 10");
        }
        session.close().await?;
        Ok(Ok(()))
    }
}

#[tokio::test]
async fn with_enough_connections_everybody_is_served() -> Result<()> {
    let fixture = Fixture::start_with(|config| config.max_connections(50)).await?;
    let sessions = fixture.serve_many().await?;
    assert_eq!(sessions, vec![Ok(()); CLIENTS]);
    Ok(())
}

#[tokio::test]
async fn with_too_few_connections_only_sessions_are_refused() -> Result<()> {
    // Time enough for every request, however slow the machine; the sessions beyond the limit wait for all of it.
    let patience = Duration::from_secs(20);
    let fixture = Fixture::start_with(|config| config.max_connections(8).queue_timeout(patience)).await?;
    let mut sessions = fixture.serve_many().await?;
    sessions.sort();
    // Three quarters of the connections are for sessions.
    let expected: Vec<Opened> = (0..CLIENTS).map(|n| if n < 6 { Ok(()) } else { Err("53300".to_owned()) }).collect();
    assert_eq!(sessions, expected);
    Ok(())
}
