use std::fmt;

/// Whether the statement of a failed operation ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It cannot have run: sending it again cannot run it twice.
    NotExecuted,
    /// Postgres reported that it failed; whatever it did was undone.
    Failed,
    /// It may have run, and may have been committed: sending a write again can apply it twice.
    Unknown,
}

/// What a message says of an outcome that is unknown.
pub(super) const UNKNOWN: &str = " (outcome unknown: the statement may have run)";

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotExecuted => "not executed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        })
    }
}
