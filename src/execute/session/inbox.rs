use std::{collections::VecDeque, future::pending};

use tokio::sync::mpsc;

use super::command::Command;

/// The commands that have come and are not done yet.
pub(super) struct Inbox {
    receiver: mpsc::UnboundedReceiver<Command>,
    waiting: VecDeque<Command>,
    closed: bool,
}

impl Inbox {
    pub(super) fn new(receiver: mpsc::UnboundedReceiver<Command>) -> Self {
        Self { receiver, waiting: VecDeque::new(), closed: false }
    }

    /// Waits until another command has come, or there will be no more; never again after that. Cancel safe.
    pub(super) async fn arrive(&mut self) {
        if self.closed {
            return pending().await;
        }
        match self.receiver.recv().await {
            Some(command) => self.waiting.push_back(command),
            None => self.closed = true,
        }
    }

    /// Waits for the next command, `None` when there are no more. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Command> {
        while self.waiting.is_empty() && !self.closed {
            self.arrive().await;
        }
        self.waiting.pop_front()
    }

    pub(super) fn first(&self) -> Option<&Command> {
        self.waiting.front()
    }

    pub(super) fn take(&mut self) -> Option<Command> {
        self.waiting.pop_front()
    }

    pub(super) fn put_back(&mut self, command: Command) {
        self.waiting.push_front(command);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether its user is gone, and has left nothing to do.
    pub(super) fn is_over(&self) -> bool {
        self.closed && self.waiting.is_empty()
    }
}
