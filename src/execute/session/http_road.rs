use super::{
    answers::Replies,
    command::{Command, Work},
    exclusive::{Carrier, Exclusive},
    inbox::Inbox,
    noted::Noted,
};
use crate::{
    error::{self, Error, Result},
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
    NeedsSession {
        command: Command,
        /// What HTTP said of it, where it was tried.
        refusal: Option<Error>,
    },
}

/// What became of a statement.
enum Outcome {
    Ended(Result<()>),
    /// HTTP does not carry it, there is another road, nothing was told of it, and nothing is done twice by trying a session.
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
                    return End::NeedsSession { command: Command::Exclusive(exclusive), refusal: None };
                }
                Command::Exclusive(exclusive) => match self.lend(exclusive, inbox, noted).await {
                    true => continue,
                    false => return End::Over,
                },
                // Nothing is kept over HTTP that could be forgotten.
                Command::Forget(_) => continue,
            };
            if replies.are_unwanted() {
                continue;
            }
            if self.has_other && self.dialect().effect(work.text()).belongs_in_session() {
                return End::NeedsSession { command: Command::Run(work, replies), refusal: None };
            }
            match self.run(&work, &replies, inbox, noted).await {
                Outcome::Ended(result) => replies.end(result, Some(TransactionStatus::Idle)),
                Outcome::Refused(error) => {
                    return End::NeedsSession { command: Command::Run(work, replies), refusal: Some(error) };
                }
                Outcome::Over => return End::Over,
            }
        }
        End::Over
    }

    /// Lets an operation have the carrier for itself; false where the session's user is gone.
    async fn lend(&self, exclusive: Exclusive, inbox: &mut Inbox, noted: &Noted) -> bool {
        let Exclusive { operation, demands: _, refused } = exclusive;
        let mut run = operation(Carrier::Http(&self.session));
        // One for the whole time: a cancel that comes between two waits is heard.
        let mut cancelled = std::pin::pin!(noted.cancelled.notified());
        loop {
            // Dropped, it drops its request, which cancels it.
            tokio::select! {
                () = &mut run => return true,
                () = &mut cancelled => {
                    // Whoever asked may not wait any more.
                    let _ = refused.send(Error::cancelled());
                    return true;
                }
                () = inbox.arrive() => if inbox.is_over() { return false },
            }
        }
    }

    async fn run(&self, work: &Work, replies: &Replies, inbox: &mut Inbox, noted: &Noted) -> Outcome {
        let mut carried = std::pin::pin!(async {
            let mut told = false;
            match self.carry(work, replies, &mut told).await {
                Err(error) if !told && self.is_worth_a_session(&error, work.text()).await => Outcome::Refused(error),
                result => Outcome::Ended(result),
            }
        });
        let mut cancelled = std::pin::pin!(noted.cancelled.notified());
        loop {
            tokio::select! {
                outcome = &mut carried => return outcome,
                () = &mut cancelled => return Outcome::Ended(Err(Error::cancelled())),
                () = inbox.arrive() => {
                    // Another one waits, and its user may not read this one's rows before it is answered.
                    if inbox.is_over() && replies.are_unwanted() {
                        return Outcome::Over;
                    }
                    replies.set_unbounded();
                }
            }
        }
    }

    /// Whether a session may carry what HTTP did not, and nothing is done twice.
    async fn is_worth_a_session(&self, error: &Error, text: &str) -> bool {
        let is_of_transport = error.is_refused() || error.is_value() || error.is_limit() || error.is_of_results();
        if !self.has_other || !is_of_transport {
            return false;
        }
        if error.outcome() == error::Outcome::NotExecuted {
            return true;
        }
        self.session.only_reads(&[text]).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "what a statement's functions do could not be asked");
            false
        })
    }

    /// Notes that types may have changed meanwhile.
    pub(super) fn note_changed_types(&self) {
        self.session.note_changed_types();
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
