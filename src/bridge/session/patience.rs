use std::time::Duration;

use tokio::time::Instant;

use super::end::End;

/// How long ago the server must have been heard for a sign of life to be taken for granted.
const FRESH: Duration = Duration::from_secs(3);

/// How long a sign of life may take.
const PING: Duration = Duration::from_secs(5);

/// Until when the server is waited for.
#[derive(Debug)]
pub(super) struct Patience {
    /// How long a statement may take.
    limit: Option<Duration>,
    deadline: Option<Instant>,
    ping: Option<Instant>,
    heard_at: Instant,
}

impl Patience {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { limit, deadline: None, ping: None, heard_at: Instant::now() }
    }

    /// Something came from the server.
    pub(super) fn heard(&mut self) {
        self.heard_at = Instant::now();
        self.ping = None;
    }

    /// Whether the server was there just now.
    pub(super) fn is_fresh(&self) -> bool {
        self.heard_at.elapsed() < FRESH
    }

    /// A sign of life is asked for.
    pub(super) fn pings(&mut self) {
        self.ping = Instant::now().checked_add(PING);
    }

    /// A statement starts, or the one before it ended.
    pub(super) fn restarts(&mut self) {
        self.deadline = self.limit.and_then(|limit| Instant::now().checked_add(limit));
    }

    /// Nothing runs any more.
    pub(super) fn rests(&mut self) {
        self.deadline = None;
    }

    pub(super) fn wakes_at(&self) -> Option<Instant> {
        [self.deadline, self.ping].into_iter().flatten().min()
    }

    /// Whether it is exhausted. A client that does not read what waits for it is none of the server's fault.
    pub(super) fn end(&mut self, client_reads: bool) -> Option<End> {
        let now = Instant::now();
        if self.ping.is_some_and(|ping| ping <= now) {
            return Some(End::Silent(PING));
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            if client_reads {
                return self.limit.map(End::Late);
            }
            self.restarts();
        }
        None
    }

    /// When the server was last heard.
    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_statement_and_a_ping_have_their_deadlines() {
        let mut patience = Patience::new(Some(Duration::from_secs(30)));
        assert_eq!(patience.wakes_at(), None);
        patience.restarts();
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(!patience.is_fresh());
        assert!(patience.end(false).is_none(), "the client reads first");
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(matches!(patience.end(true), Some(End::Late(_))));
        patience.rests();
        patience.pings();
        tokio::time::advance(PING).await;
        assert!(matches!(patience.end(true), Some(End::Silent(_))));
        patience.heard();
        assert!(patience.is_fresh() && patience.end(true).is_none());
    }
}
