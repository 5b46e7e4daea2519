use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, sleep};

use crate::{record::Record, spawn::spawn, sql::Body};

/// How much of an answer is handed over without asking whether it is taken, in bytes.
const SMALL: u64 = 64 * 1024;

/// An answer's body on its way to the client, which is given up when nothing of it was taken for too long: a client that does not
/// read must not keep a query's connection. Over HTTP/2 this cannot be seen from the connection, which others of its streams use.
pub(crate) struct Delivery {
    source: Source,
    record: Record,
}

enum Source {
    Direct(Body),
    Watched(Arc<Mutex<Watched>>),
}

struct Watched {
    /// Until it is given up.
    body: Option<Body>,
    /// Since when the client could have taken something; `None` while the query has nothing to give.
    since: Option<Instant>,
}

/// The client took nothing for too long.
#[derive(Debug)]
pub(crate) struct NotTaken;

impl Delivery {
    pub(crate) fn new(body: Body, patience: Duration, record: Record) -> Self {
        if body.size_hint().exact().is_some_and(|length| length <= SMALL) {
            return Self { source: Source::Direct(body), record };
        }
        let watched = Arc::new(Mutex::new(Watched { body: Some(body), since: Some(Instant::now()) }));
        spawn(watch(Arc::downgrade(&watched), patience));
        Self { source: Source::Watched(watched), record }
    }
}

impl HttpBody for Delivery {
    type Data = Bytes;
    type Error = NotTaken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, NotTaken>>> {
        let Self { source, record } = self.get_mut();
        let frame = match source {
            Source::Direct(body) => ready!(Pin::new(body).poll_frame(cx)),
            Source::Watched(watched) => {
                let mut watched = lock(watched);
                let Some(body) = &mut watched.body else { return Poll::Ready(Some(Err(NotTaken))) };
                let frame = Pin::new(body).poll_frame(cx);
                watched.since = frame.is_ready().then(Instant::now);
                ready!(frame)
            }
        };
        Poll::Ready(frame.map(|frame| {
            let Ok(frame) = frame;
            record.sent(frame.data_ref().map_or(0, Bytes::len));
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Direct(body) => body.is_end_stream(),
            Source::Watched(watched) => lock(watched).body.as_ref().is_some_and(HttpBody::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Direct(body) => body.size_hint(),
            Source::Watched(watched) => lock(watched).body.as_ref().map(HttpBody::size_hint).unwrap_or_default(),
        }
    }
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client took nothing of its answer for too long")
    }
}

impl std::error::Error for NotTaken {}

/// Drops a body of which nothing was taken for so long, and so cancels what writes it.
async fn watch(watched: Weak<Mutex<Watched>>, patience: Duration) {
    loop {
        let left = {
            let Some(watched) = watched.upgrade() else { return };
            let mut watched = lock(&watched);
            let left = watched.since.map_or(patience, |since| patience.saturating_sub(since.elapsed()));
            if left.is_zero() {
                watched.body = None;
                return tracing::debug!("a client does not read its answer, so its query is cancelled");
            }
            left
        };
        sleep(left).await;
    }
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}
