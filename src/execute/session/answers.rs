use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::{Notify, mpsc};

use crate::{
    error::{Error, Outcome, Result},
    execute::{Event, Output},
    wire::TransactionStatus,
};

/// How much of a result waits to be read before no more is taken from the server, in bytes.
const UNREAD: usize = 1024 * 1024;

/// The results of a statement that was handed over, while they arrive.
#[derive(Debug)]
pub struct Answers {
    replies: mpsc::UnboundedReceiver<Reply>,
    gauge: Arc<Gauge>,
    /// How it ended, once it has.
    ended: Option<Ended>,
}

/// How a statement ended: with which transaction status, unless the session was lost.
type Ended = Option<TransactionStatus>;

/// Where the results are sent to.
#[derive(Debug)]
pub(super) struct Replies {
    replies: mpsc::UnboundedSender<Reply>,
    gauge: Arc<Gauge>,
}

#[derive(Debug)]
enum Reply {
    Event(Event),
    End(Result<()>, Ended),
}

/// How much was sent and not yet read, in bytes.
#[derive(Debug, Default)]
struct Gauge {
    unread: AtomicUsize,
    read: Notify,
    /// It does not matter any more how much it is.
    unbounded: AtomicBool,
}

pub(super) fn answers() -> (Replies, Answers) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let gauge = Arc::new(Gauge::default());
    (Replies { replies: sender, gauge: Arc::clone(&gauge) }, Answers { replies: receiver, gauge, ended: None })
}

impl Answers {
    /// Waits for the next event, `None` once the statement has ended.
    ///
    /// Cancel safe. While they are not read, no more than some 1 MiB of them is taken from the server, unless another statement waits
    /// behind this one.
    ///
    /// # Errors
    ///
    /// Once: those of [`HttpSession::execute`](crate::execute::HttpSession::execute); the server's, after which the session goes on; a lost
    /// connection or a passed deadline, after which a session over WebSocket does not.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        if self.ended.is_some() {
            return Ok(None);
        }
        match self.replies.recv().await {
            Some(Reply::Event(event)) => {
                self.gauge.unread.fetch_sub(size(&event), Ordering::AcqRel);
                self.gauge.read.notify_one();
                Ok(Some(event))
            }
            Some(Reply::End(result, status)) => {
                self.ended = Some(status);
                result.map(|()| None)
            }
            None => {
                self.ended = Some(None);
                Err(Error::closed("the session ended before it answered", Outcome::Unknown))
            }
        }
    }

    /// Waits for the whole result.
    ///
    /// Not cancel safe in that what was read is lost.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Output> {
        let mut output = Output::default();
        while let Some(event) = self.next().await? {
            output.add(event);
        }
        Ok(output)
    }

    /// Waits for the end, dropping the results.
    ///
    /// Not cancel safe in that what was read is lost.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next).
    pub async fn finish(mut self) -> Result<()> {
        while self.next().await?.is_some() {}
        Ok(())
    }

    /// Returns the transaction status behind the statement, once it has ended; `None` before, and where the session was lost.
    #[must_use]
    pub fn transaction_status(&self) -> Option<TransactionStatus> {
        self.ended.flatten()
    }
}

impl Replies {
    pub(super) fn event(&self, event: Event) {
        self.gauge.unread.fetch_add(size(&event), Ordering::AcqRel);
        // Whoever is gone needs none.
        let _ = self.replies.send(Reply::Event(event));
    }

    /// Tells the end; without a status where the session was lost.
    pub(super) fn end(self, result: Result<()>, status: Option<TransactionStatus>) {
        let _ = self.replies.send(Reply::End(result, status));
    }

    /// Whether nobody waits for them any more.
    pub(super) fn are_unwanted(&self) -> bool {
        self.replies.is_closed()
    }

    /// Waits until nobody waits for them. Cancel safe.
    pub(super) async fn unwanted(&self) {
        self.replies.closed().await;
    }

    /// Whether enough waits to be read.
    pub(super) fn are_full(&self) -> bool {
        !self.gauge.unbounded.load(Ordering::Acquire)
            && !self.are_unwanted()
            && self.gauge.unread.load(Ordering::Acquire) > UNREAD
    }

    /// Lets any amount wait from now on: whoever is to read it may wait for something behind it first.
    pub(super) fn set_unbounded(&self) {
        self.gauge.unbounded.store(true, Ordering::Release);
        self.gauge.read.notify_one();
    }

    /// Waits until some of it was read, or nobody wants it. Cancel safe.
    pub(super) async fn room(&self) {
        while self.are_full() {
            tokio::select! {
                () = self.gauge.read.notified() => {}
                () = self.replies.closed() => {}
            }
        }
    }
}

fn size(event: &Event) -> usize {
    match event {
        Event::Row(row) => row.as_bytes().len() + size_of::<Event>(),
        _ => size_of::<Event>(),
    }
}
