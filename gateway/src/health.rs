use std::time::Duration;

use http::{Response, StatusCode};
use serde_json::json;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{
    sql::{self, Body},
    upstream::SharedUpstream,
};

/// For how long the upstream's state is not asked for again: whoever asks for the gateway's health must be no burden to Postgres.
const FRESH: Duration = Duration::from_secs(5);

/// How long Postgres may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether Postgres accepts connections, as it was found last.
#[derive(Debug, Default)]
pub(crate) struct Health {
    found: Mutex<Option<(Instant, bool)>>,
}

impl Health {
    /// Answers `GET /health`: 200 where requests can be served, else 503.
    pub(crate) async fn answer(&self, upstream: &SharedUpstream, draining: bool) -> Response<Body> {
        if draining {
            return sql::json(StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "draining" }).to_string());
        }
        if self.reachable(upstream).await {
            sql::json(StatusCode::OK, json!({ "status": "ok", "upstream": "reachable" }).to_string())
        } else {
            let down = json!({ "status": "down", "upstream": "unreachable" });
            sql::json(StatusCode::SERVICE_UNAVAILABLE, down.to_string())
        }
    }

    /// Whoever comes while somebody else asks waits for that answer.
    async fn reachable(&self, upstream: &SharedUpstream) -> bool {
        let mut found = self.found.lock().await;
        if let Some((at, reachable)) = *found
            && at.elapsed() < FRESH
        {
            return reachable;
        }
        let reachable = match timeout(PATIENCE, upstream.check()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!("{error}");
                false
            }
            Err(_) => {
                tracing::warn!("Postgres at {upstream} takes connections and does not answer");
                false
            }
        };
        *found = Some((Instant::now(), reachable));
        reachable
    }
}
