use std::{collections::VecDeque, time::Duration};

use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use super::{
    answers::Replies,
    clean::Traces,
    command::{Command, Work},
    exclusive::{Carrier, Exclusive},
    inbox::Inbox,
    noted::Noted,
};
use crate::{
    config::Config,
    error::{Error, Outcome, Result},
    execute::{
        self, Opening, WireClient,
        flight::{Flight, event_of, server_name},
    },
    sql::{Dialect, Effect},
    wire::{Answer, BackendKey, Notification, TransactionStatus},
};

/// How many flights are under way at once: results that nobody has read yet cost the server memory, too.
const MOST: usize = 1024;

/// How long a session is idle before it is left for HTTP: longer than the pauses in a burst of transactions.
const IDLE: Duration = Duration::from_secs(5);

/// How long the server is given to hear that a session ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// Statements in a session over WebSocket, in one flight each.
pub(super) struct WireRoad {
    config: Config,
    client: WireClient,
    /// What was sent, the oldest first.
    under_way: VecDeque<UnderWay>,
    /// What the session may be left for HTTP with: how texts are read.
    leaves: Option<Dialect>,
    traces: Traces,
    changed_types: bool,
    /// Until when the oldest may take.
    deadline: Option<Instant>,
}

/// Why it went no further.
pub(super) enum End {
    /// The session's user is gone.
    Over,
    /// The session is not needed any more, and was closed.
    Idle {
        /// What ran there may have changed types.
        changed_types: bool,
    },
    /// The session was lost, and all that was under way has been told.
    Lost,
}

/// How an operation that had the session for itself has ended.
enum Lent {
    Done,
    Late,
    /// The session's user is gone.
    Over,
}

struct UnderWay {
    replies: Replies,
    /// Nothing may be sent behind it before it is answered: the server would take it for data.
    is_copy: bool,
}

impl WireRoad {
    /// Opens a session, which is left when it is idle if it is told how to read texts.
    pub(super) async fn open(config: &Config, leaves: Option<Dialect>) -> Result<Self> {
        let client = execute::open(config, &Opening::canonical(config)).await?;
        Ok(Self {
            config: config.clone(),
            client,
            under_way: VecDeque::new(),
            leaves,
            traces: Traces::default(),
            changed_types: false,
            deadline: None,
        })
    }

    pub(super) fn key(&self) -> Option<BackendKey> {
        self.client.backend_key()
    }

    pub(super) async fn serve(
        mut self,
        inbox: &mut Inbox,
        noted: &Noted,
        notify: &mpsc::UnboundedSender<Notification>,
    ) -> End {
        loop {
            self.send(inbox, noted);
            let end = match self.under_way.front() {
                None => match inbox.take() {
                    Some(Command::Exclusive(exclusive)) => self.lend(exclusive, inbox, noted).await,
                    Some(other) => {
                        inbox.put_back(other);
                        None
                    }
                    None => self.wait_idle(inbox).await,
                },
                Some(oldest) if oldest.replies.are_full() && self.under_way.len() == 1 && inbox.is_empty() => {
                    let begun = Instant::now();
                    tokio::select! {
                        () = oldest.replies.room() => {}
                        () = inbox.arrive() => {}
                    }
                    // Its reader's time is none of the server's.
                    self.deadline = self.deadline.and_then(|deadline| deadline.checked_add(begun.elapsed()));
                    None
                }
                Some(_) => self.wait_busy(inbox, noted, notify).await,
            };
            self.pass_on(notify);
            match end {
                None => {}
                Some(End::Lost) => return End::Lost,
                Some(end) => {
                    self.close().await;
                    return end;
                }
            }
        }
    }

    /// Sends what has come, as far as it may be sent.
    fn send(&mut self, inbox: &mut Inbox, noted: &Noted) {
        while self.under_way.len() < MOST && !self.under_way.back().is_some_and(|last| last.is_copy) {
            let is_copy = match inbox.first() {
                Some(Command::Run(work, _)) => self.is_copy(work),
                Some(Command::Forget(_)) => false,
                // It waits for what is under way.
                Some(Command::Exclusive(_)) | None => return,
            };
            if is_copy && !self.under_way.is_empty() {
                return;
            }
            match inbox.take() {
                Some(Command::Run(work, replies)) => {
                    if replies.are_unwanted() {
                        continue;
                    }
                    if let Err(error) = self.push(&work) {
                        replies.end(Err(error), Some(noted.status()));
                        continue;
                    }
                    if self.under_way.is_empty() {
                        self.restart();
                    }
                    self.under_way.push_back(UnderWay { replies, is_copy });
                }
                Some(Command::Forget(name)) => self.forget(name),
                Some(other) => return inbox.put_back(other),
                None => return,
            }
        }
    }

    fn push(&mut self, work: &Work) -> Result<()> {
        if let Some(dialect) = self.leaves {
            self.traces.note(dialect, work.text());
            self.changed_types |= dialect.changes_types(work.text());
        }
        match work {
            Work::Script(script) => self.client.push_simple_query(script),
            Work::Statement(statement) => {
                let flight = Flight::new(statement);
                let statement = flight.on(&self.client);
                self.client.push(&statement)
            }
        }
    }

    fn is_copy(&self, work: &Work) -> bool {
        self.leaves.unwrap_or_default().effect(work.text()) == Effect::Copy
    }

    fn forget(&mut self, name: u64) {
        let name = server_name(name);
        if self.client.is_prepared(&name) {
            self.client.close_statement(&name);
        }
    }

    /// Lets an operation have the session for itself.
    async fn lend(&mut self, exclusive: Exclusive, inbox: &mut Inbox, noted: &Noted) -> Option<End> {
        let Exclusive { operation, demands, refused } = exclusive;
        self.traces.note_state(demands.leaves_state);
        // What it runs cannot be seen.
        self.changed_types = true;
        self.restart();
        let deadline = self.deadline;
        let ended = {
            let mut run = std::pin::pin!(async {
                operation(Carrier::Session(&mut self.client)).await;
                // What it left unread would be taken for the answers of what comes next.
                while let Some(left) = self.client.next_execution() {
                    // An error belongs to the operation, and a lost session shows below.
                    let _ = left.finish().await;
                }
                let _ = self.client.is_quiet().await;
            });
            loop {
                tokio::select! {
                    () = &mut run => break Lent::Done,
                    () = sleep_until(deadline) => break Lent::Late,
                    () = inbox.arrive() => if inbox.is_over() { break Lent::Over },
                }
            }
        };
        match ended {
            Lent::Done => {
                noted.set_status(self.client.transaction_status());
                (!self.client.is_usable()).then_some(End::Lost)
            }
            Lent::Over => {
                self.cancel().await;
                Some(End::Over)
            }
            Lent::Late => {
                noted.set_lost();
                let limit = self.config.get_request_timeout().unwrap_or_default();
                // Whoever asked may not wait any more.
                let _ = refused.send(Error::timeout("answer", limit, Outcome::Unknown));
                self.cancel().await;
                Some(End::Lost)
            }
        }
    }

    async fn wait_idle(&mut self, inbox: &mut Inbox) -> Option<End> {
        if inbox.is_over() {
            return Some(End::Over);
        }
        let may_leave = self.leaves.is_some()
            && !self.traces.are_there()
            && self.client.transaction_status() == TransactionStatus::Idle;
        tokio::select! {
            biased;
            () = inbox.arrive() => None,
            heard = self.client.hear() => heard.is_err().then_some(End::Lost),
            () = time::sleep(IDLE), if may_leave => Some(End::Idle { changed_types: self.changed_types }),
        }
    }

    async fn wait_busy(
        &mut self,
        inbox: &mut Inbox,
        noted: &Noted,
        notify: &mpsc::UnboundedSender<Notification>,
    ) -> Option<End> {
        tokio::select! {
            biased;
            () = inbox.arrive() => {
                let is_wanted = self.under_way.iter().any(|under_way| !under_way.replies.are_unwanted());
                if inbox.is_over() && !is_wanted {
                    self.cancel().await;
                    return Some(End::Over);
                }
                None
            }
            answer = self.client.next_answer() => match answer {
                Ok(Answer::Event(event)) => {
                    if let Some(oldest) = self.under_way.front() {
                        oldest.replies.event(event_of(event));
                    }
                    None
                }
                Ok(Answer::End(result)) => {
                    // Whoever hears of the end is to find what came before it.
                    self.pass_on(notify);
                    let status = self.client.transaction_status();
                    noted.set_status(status);
                    if let Some(oldest) = self.under_way.pop_front() {
                        oldest.replies.end(result, Some(status));
                    }
                    self.restart();
                    None
                }
                Err(error) => {
                    self.pass_on(notify);
                    Some(self.lose(error, noted))
                }
            },
            () = all_unwanted(&self.under_way), if inbox.is_over() => {
                self.cancel().await;
                Some(End::Over)
            }
            () = sleep_until(self.deadline) => {
                let limit = self.config.get_request_timeout().unwrap_or_default();
                let end = self.lose(Error::timeout("answer", limit, Outcome::Unknown), noted);
                self.cancel().await;
                Some(end)
            }
        }
    }

    fn pass_on(&mut self, notify: &mpsc::UnboundedSender<Notification>) {
        for notification in self.client.take_notifications() {
            // Whoever has dropped the session hears none.
            let _ = notify.send(notification);
        }
    }

    /// Tells everyone that the session was lost: the oldest statement why, and the others that they were behind it.
    fn lose(&mut self, error: Error, noted: &Noted) -> End {
        // Whoever hears of it is to find it so.
        noted.set_lost();
        let mut reason = Some(error);
        for under_way in self.under_way.drain(..) {
            let behind = || Error::closed("the session was lost with a statement before this one", Outcome::Unknown);
            under_way.replies.end(Err(reason.take().unwrap_or_else(behind)), None);
        }
        End::Lost
    }

    /// Gives the oldest statement its time from now on.
    fn restart(&mut self) {
        let limit = self.config.get_request_timeout();
        self.deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    }

    /// Asks the server to stop what nobody waits for any more; that it cannot be asked is no one's concern then.
    async fn cancel(&self) {
        if let Some(key) = self.key() {
            let _ = time::timeout(GOODBYE, execute::cancel(&self.config, key)).await;
        }
    }

    async fn close(self) {
        let _ = time::timeout(GOODBYE, self.client.close()).await;
    }
}

/// Waits until nobody waits for any of them.
async fn all_unwanted(under_way: &VecDeque<UnderWay>) {
    for one in under_way {
        one.replies.unwanted().await;
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
