use std::{sync::Arc, time::Instant};

use http::StatusCode;

use crate::metrics::{Kind, Metrics};

/// What is known of a request when its answer has been delivered or given up, which is told once: in a line of the log and in the
/// metrics. No SQL, no values, no credentials.
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) status: StatusCode,
    pub(crate) began: Instant,
    /// In bytes.
    pub(crate) sent: u64,
    pub(crate) metrics: Arc<Metrics>,
}

impl Record {
    /// Notes that so many bytes of the body were handed over.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Self { id, kind, status, began, sent, metrics } = self;
        let took = began.elapsed();
        tracing::info!(
            id,
            kind = kind.as_str(),
            status = status.as_u16(),
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            bytes = *sent,
            "request"
        );
        metrics.request(*kind, *status, took, *sent);
    }
}
