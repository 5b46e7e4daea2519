use std::{fmt, str::FromStr};

use crate::error::{Error, Result};

/// What carries the statements.
///
/// # Example
///
/// ```
/// use pgferry::Transport;
///
/// assert_eq!("http".parse::<Transport>().unwrap(), Transport::Http);
/// assert!("auto".parse::<Transport>().unwrap_err().to_string().contains("not yet"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// SQL over HTTP: one request a statement or batch, no session.
    Http,
    /// The Postgres protocol in a WebSocket: a session, as over TCP.
    #[default]
    WebSocket,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::WebSocket => "websocket",
        })
    }
}

impl FromStr for Transport {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "http" => Ok(Self::Http),
            "websocket" => Ok(Self::WebSocket),
            "auto" => Err(Error::config("the transport \"auto\" is not yet there: choose \"websocket\" or \"http\"")),
            _ => Err(Error::config(format!("{name:?} is not a transport: choose \"websocket\" or \"http\""))),
        }
    }
}
