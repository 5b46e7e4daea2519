use std::{io, time::Duration};

use crate::error::{Error, Outcome};

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The client said goodbye or went away.
    Local,
    /// The WebSocket was closed or broke.
    Remote(Option<io::Error>),
    /// A statement took longer than it may.
    Late(Duration),
    /// The server gave no sign of life within this time.
    Silent(Duration),
    /// The client cannot be given what the server sent, or the server refused what the session is to be opened with.
    Refused(Error),
    /// Nothing happened for a while, and nothing is lost with the session.
    Idle,
}

impl End {
    /// Whether other connections to the same place may be lost as well, without a word.
    pub(super) fn is_of_a_broken_way(&self) -> bool {
        match self {
            Self::Late(_) | Self::Silent(_) | Self::Remote(_) => true,
            Self::Local | Self::Refused(_) | Self::Idle => false,
        }
    }

    /// What the client is to be told.
    pub(super) fn error(self, is_running: bool) -> Option<Error> {
        let outcome = if is_running { Outcome::Unknown } else { Outcome::NotExecuted };
        match self {
            Self::Local | Self::Idle => None,
            Self::Remote(cause) => {
                let error = Error::closed("the WebSocket to the server was lost", outcome);
                Some(match cause {
                    Some(cause) => error.with_source(cause.to_string()),
                    None => error,
                })
            }
            Self::Late(limit) => Some(Error::timeout("answer", limit, Outcome::Unknown)),
            Self::Silent(limit) => Some(Error::timeout("sign of life", limit, outcome)),
            Self::Refused(error) => Some(error),
        }
    }
}

impl From<io::Error> for End {
    /// A message of the client's that cannot be understood is the end of it, as for Postgres.
    fn from(error: io::Error) -> Self {
        tracing::debug!(%error, "a client's message makes no sense");
        Self::Local
    }
}
