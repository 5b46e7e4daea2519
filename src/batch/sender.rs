use std::sync::Arc;

use tokio::time;

use super::{Failure, admission, flight, outputs::Outputs, sessions::Sessions};
use crate::{
    config::{Config, Transport},
    error::{Error, Outcome, Result},
    execute::{HttpSession, Output, Rows, Statement},
    http::BatchOptions,
    runtime::Runtime,
    sql::Dialect,
};

/// Sends batches over a configuration's transport.
///
/// Cheap to clone; clones share what they learnt of the server and the sessions that they opened. A session that no batch uses is
/// closed after half a minute, and one that a batch has changed (SET, temporary tables) right behind it.
#[derive(Clone, Debug)]
pub struct Sender(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    http: Option<HttpSession>,
    sessions: Option<Sessions>,
}

impl Sender {
    /// Makes a sender that has sent nothing yet.
    ///
    /// # Errors
    ///
    /// When the configuration has no endpoint of its transport, or a setting is one that HTTP cannot keep.
    pub fn new(config: &Config, runtime: &Runtime) -> Result<Self> {
        let http = match config.resolve_transport()? {
            Transport::WebSocket => None,
            Transport::Http | Transport::Auto => Some(HttpSession::new(config, runtime)?),
        };
        Self::sharing(config, runtime, http)
    }

    /// Makes a sender on a session over HTTP that others use, too.
    pub(crate) fn sharing(config: &Config, runtime: &Runtime, http: Option<HttpSession>) -> Result<Self> {
        let sessions = match config.resolve_transport()? {
            Transport::Http => None,
            Transport::WebSocket | Transport::Auto => {
                config.endpoint_ws()?;
                Some(Sessions::new(config, runtime))
            }
        };
        Ok(Self(Arc::new(Inner { config: config.clone(), http, sessions })))
    }

    /// Runs statements as one transaction: all take effect or none. Gives one output a statement, in their order; no statements are
    /// no transaction, and nothing is sent.
    ///
    /// The results are held until the transaction has ended, since its end decides whether there are any. Must be polled on the
    /// runtime that the sender was made with.
    ///
    /// Cancel safe in that dropping the future cancels what runs; whether it had ended by then is unknown.
    ///
    /// # Errors
    ///
    /// - Transaction control, LISTEN and COPY are refused, and so is over HTTP whatever needs a session; nothing is sent then.
    /// - Otherwise those of [`HttpSession::execute_batch`] and of a session. Where [`Error::outcome`] is `Unknown`, the batch may have
    ///   taken effect.
    pub async fn send(&self, statements: &[Statement], options: BatchOptions) -> Result<Vec<Output>, Failure> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let outputs = Outputs::new(statements.len(), self.0.config.get_max_response_size());
        match (&self.0.http, &self.0.sessions) {
            (Some(http), None) => over_http(http, statements, options, outputs).await,
            (Some(http), Some(_)) if !admission::needs_session(statements) => {
                over_http(http, statements, options, outputs).await
            }
            (_, Some(sessions)) => self.over_websocket(sessions, statements, options).await,
            (None, None) => Err(Error::refused("the sender has no transport").into()),
        }
    }

    async fn over_websocket(
        &self,
        sessions: &Sessions,
        statements: &[Statement],
        options: BatchOptions,
    ) -> Result<Vec<Output>, Failure> {
        admission::check(Dialect::new(), statements)?;
        let mut session = sessions.take().await?;
        loop {
            let limit = self.0.config.get_request_timeout();
            let is_used = session.is_used;
            let Some(client) = session.client() else {
                return Err(Error::closed("the session was lost", Outcome::NotExecuted).into());
            };
            let standard = client.parameter("standard_conforming_strings").is_none_or(|value| value == "on");
            if !standard
                && let Err(refusal) = admission::check(Dialect::new().standard_conforming_strings(false), statements)
            {
                session.end(true);
                return Err(refusal);
            }
            let outputs = Outputs::new(statements.len(), self.0.config.get_max_response_size());
            let running = flight::run(client, statements, options, outputs);
            let result = match limit {
                None => running.await,
                // Dropped on the way out, the session cancels what runs.
                Some(limit) => time::timeout(limit, running)
                    .await
                    .map_err(|_| Error::timeout("answer to a batch", limit, Outcome::Unknown))?,
            };
            let was_lost = is_used
                && matches!(&result, Err(failure) if failure.error().is_closed() && failure.error().outcome() == Outcome::NotExecuted);
            session.end(admission::leaves_session_clean(statements));
            if !was_lost {
                return result;
            }
            // Lost while nobody used it, and nothing has run.
            session = sessions.open().await?;
        }
    }
}

pub(super) async fn over_http(
    session: &HttpSession,
    statements: &[Statement],
    options: BatchOptions,
    outputs: Outputs,
) -> Result<Vec<Output>, Failure> {
    admission::check(session.dialect(), statements)?;
    let rows = session.execute_batch(statements, options).await.map_err(|error| of_only(statements, error))?;
    collect(rows, outputs).await.map_err(|error| of_only(statements, error))
}

async fn collect(mut rows: Rows, mut outputs: Outputs) -> Result<Vec<Output>> {
    while let Some(event) = rows.next().await? {
        outputs.add(event)?;
    }
    outputs.finish()
}

/// An answer over HTTP does not say which statement it is about, but for the only one.
fn of_only(statements: &[Statement], error: Error) -> Failure {
    match statements {
        [_] if error.as_db_error().is_some() => Failure::of(0, error),
        _ => error.into(),
    }
}
