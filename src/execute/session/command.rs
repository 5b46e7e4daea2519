use super::{answers::Replies, exclusive::Exclusive};
use crate::{
    error::{Error, Outcome},
    execute::Statement,
    wire::TransactionStatus,
};

/// What a session's users ask of its task.
pub(super) enum Command {
    Run(Work, Replies),
    Exclusive(Exclusive),
    Forget(u64),
}

/// What is executed.
#[derive(Debug)]
pub(super) enum Work {
    Statement(Statement),
    Script(String),
}

impl Work {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Statement(statement) => &statement.text,
            Self::Script(script) => script,
        }
    }
}

impl Command {
    /// Answers that the session is no more.
    pub(super) fn refuse(self) {
        // Dropping another says the same.
        if let Self::Run(_, replies) = self {
            replies.end(Err(lost()), None);
        }
    }

    /// Answers that no session could be opened for it; there is none in which a transaction could be.
    pub(super) fn fail(self, error: Error) {
        match self {
            Self::Run(_, replies) => replies.end(Err(error), Some(TransactionStatus::Idle)),
            Self::Exclusive(exclusive) => drop(exclusive.refused.send(error)),
            Self::Forget(_) => {}
        }
    }
}

/// The error of what was never sent.
pub(super) fn lost() -> Error {
    Error::closed("the session was lost: open another", Outcome::NotExecuted)
}
