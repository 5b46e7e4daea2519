use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{select, sync::mpsc};

use super::fault::Fault;
use crate::faults::Paced;

/// The body of an answer: whole, or written while its query runs.
pub(crate) enum Body {
    Whole(Full<Bytes>),
    Running(Running),
    Paced(Paced),
}

/// A query whose answer is too large to be held until its end.
///
/// It goes on as the client reads, and no faster; dropping it cancels the query. Where the query fails, its error follows the
/// rows that were sent, which no client can take for a result: the body is then no JSON.
pub(crate) struct Running {
    run: Option<Run>,
    /// What comes before the channel's parts.
    first: Option<Bytes>,
    parts: mpsc::Receiver<Bytes>,
    /// What comes behind them, once the query has ended.
    rest: Option<Bytes>,
}

/// What runs a query: it gives what it has not sent of the answer.
type Run = Pin<Box<dyn Future<Output = Result<Bytes, Fault>> + Send>>;

impl Body {
    /// Runs a query until it has ended or has sent its first part.
    ///
    /// # Errors
    ///
    /// The query's fault, where it ended with one before anything of the answer was sent.
    pub(super) async fn of<F>(run: impl FnOnce(mpsc::Sender<Bytes>) -> F) -> Result<Self, Fault>
    where
        F: Future<Output = Result<Bytes, Fault>> + Send + 'static,
    {
        let (sender, mut parts) = mpsc::channel(1);
        let mut run: Run = Box::pin(run(sender));
        let ended = select! {
            biased;
            Some(first) = parts.recv() => {
                return Ok(Self::Running(Running { run: Some(run), first: Some(first), parts, rest: None }));
            }
            ended = &mut run => ended,
        };
        // It may have sent a part and then ended without a pause.
        match parts.try_recv() {
            Ok(first) => {
                let rest = Some(ended.unwrap_or_else(late));
                Ok(Self::Running(Running { run: None, first: Some(first), parts, rest }))
            }
            Err(_) => Ok(Self::Whole(Full::new(ended?))),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole).poll_frame(cx),
            Self::Running(running) => running.poll(cx).map(|part| part.map(|part| Ok(Frame::data(part)))),
            Self::Paced(paced) => Pin::new(paced).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Running(_) => false,
            Self::Paced(paced) => paced.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Running(_) => SizeHint::default(),
            Self::Paced(paced) => paced.size_hint(),
        }
    }
}

impl Running {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        loop {
            // Not `poll_recv`: to a task that has done enough for now, it says that nothing is there, and the part would come too late.
            // What sends is polled here alone, so that nothing can come between.
            if let Ok(part) = self.parts.try_recv() {
                return Poll::Ready(Some(part));
            }
            let Some(run) = &mut self.run else {
                return Poll::Ready(self.rest.take().filter(|rest| !rest.is_empty()));
            };
            match run.as_mut().poll(cx) {
                Poll::Ready(ended) => {
                    self.run = None;
                    self.rest = Some(ended.unwrap_or_else(late));
                }
                // It waits for the server, unless it has just sent a part.
                Poll::Pending => return self.parts.try_recv().map_or(Poll::Pending, |part| Poll::Ready(Some(part))),
            }
        }
    }
}

/// What ends an answer of which a part was sent: what was written since is dropped, so that the fault follows a whole row.
fn late(fault: Fault) -> Bytes {
    tracing::debug!(reason = fault.reason(), "request failed behind its first rows");
    fault.late_body()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn whole(body: Result<Body, Fault>) -> String {
        let body = body.unwrap_or_else(|fault| panic!("{}", fault.message()));
        let Ok(collected) = body.collect().await;
        String::from_utf8_lossy(&collected.to_bytes()).into_owned()
    }

    #[tokio::test]
    async fn parts_come_before_the_rest_however_fast_the_query_ends() {
        let body = Body::of(|parts| async move {
            let _ = parts.send("a".into()).await;
            Ok("b".into())
        });
        assert_eq!(whole(body.await).await, "ab");
        let body = Body::of(|parts| async move {
            for part in ["a", "b", "c"] {
                let _ = parts.send(part.into()).await;
                tokio::task::yield_now().await;
            }
            Ok("d".into())
        });
        assert_eq!(whole(body.await).await, "abcd");
    }

    #[tokio::test]
    async fn no_part_is_lost_whatever_the_task_has_done_before() {
        // More than a task may do before it has to pause.
        for done in 0..200 {
            let body = Body::of(|parts| async move {
                for part in ["a", "b", "c"] {
                    let _ = parts.send(part.into()).await;
                }
                Ok("d".into())
            });
            let body = body.await;
            tokio::task::yield_now().await;
            for _ in 0..done {
                tokio::task::coop::consume_budget().await;
            }
            assert_eq!(whole(body).await, "abcd", "after {done}");
        }
    }

    #[tokio::test]
    async fn a_fault_has_a_status_until_a_part_was_sent() {
        assert!(Body::of(|_| async { Err(Fault::unreadable_response()) }).await.is_err());
        let body = Body::of(|parts| async move {
            let _ = parts.send("a".into()).await;
            Err(Fault::unreadable_response())
        });
        assert!(whole(body.await).await.starts_with(r#"a{"status":500,"#));
    }
}
