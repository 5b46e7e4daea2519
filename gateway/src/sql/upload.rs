use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Bytes};
use tokio::time::{Instant, timeout};

use super::{Limits, fault::Fault};

/// How fast a request's body has to come after the time that a client may be silent, in bytes a second.
const SLOWEST: u64 = 16 * 1024;

/// A request's body while it comes, as long as it keeps to the limit and comes fast enough.
///
/// Time is its client's credit: it begins with as much as a client may be silent, and gains a second with each second's worth of data,
/// but never has more than at the beginning. Otherwise what came fast at first would pay for an hour of next to nothing.
pub(super) struct Upload<B> {
    body: B,
    announced: Option<usize>,
    limits: Limits,
    credit: Duration,
    come: usize,
}

impl<B> Upload<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// # Errors
    ///
    /// When more is announced than a request may have.
    pub(super) fn new(body: B, announced: Option<usize>, limits: Limits) -> Result<Self, Fault> {
        if announced.is_some_and(|length| length > limits.request) {
            return Err(Fault::request_too_large(limits.request));
        }
        Ok(Self { body, announced, limits, credit: limits.silence, come: 0 })
    }

    /// Returns the length that its head gives, in bytes.
    pub(super) fn announced(&self) -> Option<usize> {
        self.announced
    }

    /// Gives a client its credit back that was kept waiting.
    pub(super) fn restart(&mut self) {
        self.credit = self.limits.silence;
    }

    /// Returns what came next; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let Limits { request: limit, silence, .. } = self.limits;
        loop {
            let began = Instant::now();
            let frame = timeout(self.credit, self.body.frame()).await.map_err(|_| Fault::request_too_slow(silence))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| {
                Fault::bad_request(format!("could not read the HTTP request body: {}", error.into()))
            })?;
            let Ok(data) = frame.into_data() else { continue };
            self.come = self.come.saturating_add(data.len());
            if self.come > limit {
                return Err(Fault::request_too_large(limit));
            }
            let gained = Duration::from_micros((data.len() as u64).saturating_mul(1_000_000) / SLOWEST);
            self.credit = self.credit.saturating_sub(began.elapsed()).saturating_add(gained).min(silence);
            return Ok(Some(data));
        }
    }

    /// Reads the rest for nothing: a client that is still sending may not hear an answer.
    pub(super) async fn discard(&mut self) {
        self.restart();
        while let Ok(Some(_)) = self.next().await {}
    }
}
