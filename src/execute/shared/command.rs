use super::answers::Replies;
use crate::{
    error::{Error, Outcome},
    execute::Statement,
};

/// What a session's users ask of its task.
#[derive(Debug)]
pub(super) enum Command {
    Run(Work, Replies),
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
        if let Self::Run(_, replies) = self {
            replies.end(Err(lost()), None);
        }
    }
}

/// The error of what was never sent.
pub(super) fn lost() -> Error {
    Error::closed("the session was lost: open another", Outcome::NotExecuted)
}
