use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::{Response, StatusCode};
use tokio::sync::mpsc::Sender;

use super::{
    BatchOptions,
    connector::{Connector, Endpoint},
    deadline::Deadline,
    headers::headers,
    send_error::{is_refused_by_server, lost, send_error},
    tracked_body::{Sent, TrackedBody},
    wire::{REQUEST_ID, error_from},
};
use crate::{
    config::Config,
    error::{Error, Outcome, Result},
};

/// How often a request is sent that the server did not act on, in all.
const ATTEMPTS: u32 = 3;

/// How much of an error's body is read, in bytes; Postgres quotes values in its messages.
const MAX_ERROR: usize = 1024 * 1024;

/// What arrives of a response.
#[derive(Debug)]
pub(super) enum Part {
    /// Status 200, and the service's name for the request.
    Head(Option<Arc<str>>),
    Chunk(Bytes),
    /// The body was whole; without this part, it was not.
    End,
}

/// One request on its way to its response, as a task on the client's own thread.
pub(super) struct Exchange {
    pub(super) connector: Connector,
    pub(super) config: Arc<Config>,
    pub(super) body: Bytes,
    pub(super) batch: Option<BatchOptions>,
    pub(super) timeout: Option<Duration>,
}

/// What is known of an exchange that a deadline cuts short.
#[derive(Default)]
struct Progress {
    sent: Sent,
    request_id: OnceLock<Arc<str>>,
}

impl Exchange {
    /// Runs the exchange, and gives its parts as fast as they are taken.
    ///
    /// It ends as soon as nobody takes parts any more, which cancels the statement on the server.
    pub(super) async fn run(self, parts: Sender<Result<Part>>) {
        let progress = Progress::default();
        let last = tokio::select! {
            biased;
            () = parts.closed() => return,
            transferred = self.transfer(&parts, &progress) => match transferred {
                Ok(()) => Ok(Part::End),
                Err(error) => Err(error.with_request_id(progress.request_id.get().map(|id| &**id))),
            },
        };
        // Whoever does not take it has dropped the stream and wants no answer.
        let _ = parts.send(last).await;
    }

    fn late(&self, progress: &Progress) -> Error {
        let outcome = if progress.sent.get() { Outcome::Unknown } else { Outcome::NotExecuted };
        let id = progress.request_id.get();
        let what = if id.is_some() { "end of the response" } else { "response" };
        Error::timeout(what, self.timeout.unwrap_or_default(), outcome).with_request_id(id.map(|id| &**id))
    }

    async fn transfer(&self, parts: &Sender<Result<Part>>, progress: &Progress) -> Result<()> {
        let mut deadline = Deadline::after(self.timeout);
        let late = |_| self.late(progress);
        let sent = deadline.bound(self.send(&progress.sent)).await;
        if sent.is_err() {
            // Nothing came from there, and other connections of the kind may be as dead.
            self.connector.forget_connections();
        }
        let (host, mut response) = sent.map_err(late)??;
        let id = response.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(Arc::<str>::from);
        if let Some(id) = &id {
            // It is empty, since only this line sets it.
            let _ = progress.request_id.set(id.clone());
        }
        if response.status() != StatusCode::OK {
            return Err(deadline.bound(refusal(&host, response)).await.map_err(late)?);
        }
        let limit = self.config.get_max_response_size();
        let announced = response.content_length().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_large(limit));
        }
        let mut left = limit;
        if parts.send(Ok(Part::Head(id))).await.is_err() {
            return Ok(());
        }
        while let Some(chunk) = deadline.bound(response.chunk()).await.map_err(late)?.map_err(lost)? {
            left = left.checked_sub(chunk.len()).ok_or_else(|| too_large(limit))?;
            if deadline.pause(parts.send(Ok(Part::Chunk(chunk)))).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends the request; gives the name of the host that answers, and its answer.
    async fn send(&self, sent: &Sent) -> Result<(Arc<str>, Response)> {
        let credential = self.config.credential().await?;
        let endpoint = self.connector.endpoint(&credential);
        let Endpoint { url, name, host: _ } = endpoint;
        let headers = headers(&self.config, &credential, endpoint, self.batch)?;
        let mut attempt = 1;
        loop {
            let body = reqwest::Body::wrap(TrackedBody::new(self.body.clone(), sent.clone()));
            let request = self.connector.http().post(url.clone()).headers(headers.clone()).body(body);
            match request.send().await {
                Ok(response) => return Ok((name.clone(), response)),
                Err(error) if is_refused_by_server(&error) => {
                    sent.take_back();
                    if attempt == ATTEMPTS {
                        return Err(send_error(error, name, &self.config, sent));
                    }
                    attempt += 1;
                }
                Err(error) => return Err(send_error(error, name, &self.config, sent)),
            }
        }
    }
}

/// Reads what the server says instead of rows.
async fn refusal(host: &str, mut response: Response) -> Error {
    let status = response.status().as_u16();
    let mut body = BytesMut::new();
    // An error's body that is cut short or too long still has its status, which is told from what there is of it.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_ERROR - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() >= room {
            break;
        }
    }
    error_from(host, status, &body)
}

fn too_large(limit: usize) -> Error {
    Error::limit(
        format!("the response is larger than {limit} bytes: ask for fewer rows, or raise max_response_size"),
        Outcome::Unknown,
    )
}
