use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::sql::Body;

/// How often a second something is sent on.
const STEPS: u64 = 20;

/// A body that comes no faster than a rate.
pub(crate) struct Paced {
    body: Box<Body>,
    pace: Pace,
    /// What the body has given and the pace not yet let through.
    held: Bytes,
    pause: Pin<Box<Sleep>>,
}

/// How much may go at once at a rate, and how long to wait afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Bytes a second.
    rate: u64,
}

impl Pace {
    pub(super) fn new(rate: u64) -> Self {
        Self { rate: rate.max(1) }
    }

    /// Returns how much goes at once, in bytes: at least one.
    pub(super) fn step(self) -> usize {
        usize::try_from(self.rate / STEPS).unwrap_or(usize::MAX).max(1)
    }

    /// Returns how long to wait behind so many bytes.
    #[expect(clippy::cast_precision_loss, reason = "a pause need not be exact")]
    pub(super) fn pause(self, bytes: usize) -> Duration {
        Duration::try_from_secs_f64(bytes as f64 / self.rate as f64).unwrap_or(Duration::MAX)
    }
}

impl Paced {
    pub(super) fn new(body: Body, rate: u64) -> Self {
        Self { body: Box::new(body), pace: Pace::new(rate), held: Bytes::new(), pause: Box::pin(sleep(Duration::ZERO)) }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        ready!(this.pause.as_mut().poll(cx));
        while this.held.is_empty() {
            match ready!(Pin::new(&mut *this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.held = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = this.held.split_to(this.pace.step().min(this.held.len()));
        let due = Instant::now().checked_add(this.pace.pause(piece.len())).unwrap_or_else(Instant::now);
        this.pause.as_mut().reset(due);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let held = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
        let mut hint = self.body.size_hint();
        match hint.exact() {
            Some(rest) => hint.set_exact(rest.saturating_add(held)),
            None => hint.set_lower(hint.lower().saturating_add(held)),
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_takes_its_time_and_stays_the_same() {
        let text = "0123456789".repeat(100);
        let begun = Instant::now();
        let paced = Paced::new(Body::Whole(Full::new(text.clone().into())), 500);
        assert_eq!(paced.size_hint().exact(), Some(1000));
        let Ok(whole) = paced.collect().await;
        assert_eq!(whole.to_bytes(), text);
        assert!((1900..=2100).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    }
}
