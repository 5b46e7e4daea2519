use super::{
    answers::Replies,
    clean::needs_session,
    command::{Command, Work},
    exclusive::Carrier,
    inbox::Inbox,
    noted::Noted,
};
use crate::{
    error::{Error, Result},
    execute::HttpSession,
    sql::Dialect,
    wire::TransactionStatus,
};

/// Statements over HTTP, one request after the other.
#[derive(Clone, Debug)]
pub(super) struct HttpRoad {
    session: HttpSession,
    /// What HTTP cannot carry goes to a session instead of being refused.
    has_other: bool,
}

/// Why it went no further.
pub(super) enum End {
    /// The session's user is gone.
    Over,
    NeedsSession(Command),
}

/// What became of a statement.
enum Outcome {
    Ended(Result<()>),
    /// It was refused, and nothing of it was told.
    Refused(Error),
    /// Nobody wants it any more.
    Over,
}

impl HttpRoad {
    pub(super) fn new(session: HttpSession, has_other: bool) -> Self {
        Self { session, has_other }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.session.dialect()
    }

    pub(super) async fn serve(&self, inbox: &mut Inbox, noted: &Noted) -> End {
        while let Some(command) = inbox.next().await {
            let (work, replies) = match command {
                Command::Run(work, replies) => (work, replies),
                Command::Exclusive(exclusive) if self.has_other && exclusive.demands.session => {
                    return End::NeedsSession(Command::Exclusive(exclusive));
                }
                Command::Exclusive(exclusive) => {
                    (exclusive.operation)(Carrier::Http(&self.session)).await;
                    continue;
                }
                // Nothing is kept over HTTP that could be forgotten.
                Command::Forget(_) => continue,
            };
            if replies.are_unwanted() {
                continue;
            }
            if self.has_other && needs_session(self.dialect(), work.text()) {
                return End::NeedsSession(Command::Run(work, replies));
            }
            match self.run(&work, &replies, inbox, noted).await {
                Outcome::Ended(result) => replies.end(result, Some(TransactionStatus::Idle)),
                // Either nothing was executed, or what was has changed nothing.
                Outcome::Refused(_) if self.has_other => return End::NeedsSession(Command::Run(work, replies)),
                Outcome::Refused(error) => replies.end(Err(error), Some(TransactionStatus::Idle)),
                Outcome::Over => return End::Over,
            }
        }
        End::Over
    }

    async fn run(&self, work: &Work, replies: &Replies, inbox: &mut Inbox, noted: &Noted) -> Outcome {
        let mut told = false;
        let result = {
            let mut carry = std::pin::pin!(self.carry(work, replies, &mut told));
            loop {
                tokio::select! {
                    result = &mut carry => break result,
                    () = noted.cancelled.notified() => break Err(Error::cancelled()),
                    () = inbox.arrive() => {
                        // Another one waits, and its user may not read this one's rows before it is answered.
                        if inbox.is_over() && replies.are_unwanted() {
                            return Outcome::Over;
                        }
                        replies.set_unbounded();
                    }
                }
            }
        };
        match result {
            Err(error) if error.is_refused() && !told => Outcome::Refused(error),
            result => Outcome::Ended(result),
        }
    }

    async fn carry(&self, work: &Work, replies: &Replies, told: &mut bool) -> Result<()> {
        match work {
            Work::Script(script) => self.session.execute_script(script).await,
            Work::Statement(statement) => {
                let mut rows = self.session.execute(statement).await?;
                while let Some(event) = rows.next().await? {
                    *told = true;
                    replies.event(event);
                    replies.room().await;
                }
                Ok(())
            }
        }
    }
}
