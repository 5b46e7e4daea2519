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

/// The body of an answer: whole, or written while its query runs.
pub(crate) enum Body {
    Whole(Full<Bytes>),
    Running(Running),
}

/// A query whose answer is too large to be held until its end.
///
/// It goes on as the client reads, and no faster; dropping it cancels the query. Where the query fails, its error follows the
/// rows that were sent, which no client can take for a result: the body is then no JSON.
pub(crate) struct Running {
    run: Option<Run>,
    parts: mpsc::Receiver<Bytes>,
    /// What comes before the channel's parts, and behind them once the query has ended.
    next: Option<Bytes>,
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
        select! {
            biased;
            Some(first) = parts.recv() => Ok(Self::Running(Running { run: Some(run), parts, next: Some(first) })),
            whole = &mut run => Ok(Self::Whole(Full::new(whole?))),
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
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Running(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Running(_) => SizeHint::default(),
        }
    }
}

impl Running {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.run.is_some()
            && let Some(first) = self.next.take()
        {
            return Poll::Ready(Some(first));
        }
        loop {
            let part = self.parts.poll_recv(cx);
            if let Poll::Ready(Some(part)) = part {
                return Poll::Ready(Some(part));
            }
            let Some(run) = &mut self.run else {
                return Poll::Ready(self.next.take().filter(|rest| !rest.is_empty()));
            };
            match run.as_mut().poll(cx) {
                Poll::Ready(Ok(rest)) => {
                    self.run = None;
                    self.next = Some(rest);
                }
                // What was written and not sent is dropped, so that the fault follows a whole row.
                Poll::Ready(Err(fault)) => {
                    tracing::debug!(message = fault.message(), "request failed behind its first rows");
                    self.run = None;
                    self.next = Some(fault.late_body());
                }
                // It waits for the server, unless it has just sent a part.
                Poll::Pending => match self.parts.poll_recv(cx) {
                    Poll::Ready(Some(part)) => return Poll::Ready(Some(part)),
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}
