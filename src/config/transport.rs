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
/// assert_eq!("auto".parse::<Transport>().unwrap(), Transport::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// HTTP for what needs no session, and a WebSocket from the first statement on that does. Where only one endpoint is known, it
    /// is that one ([`Config::resolve_transport`](crate::Config::resolve_transport)).
    #[default]
    Auto,
    /// SQL over HTTP: one request a statement or batch, no session.
    Http,
    /// The Postgres protocol in a WebSocket: a session, as over TCP.
    WebSocket,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
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
            "auto" => Ok(Self::Auto),
            _ => Err(Error::config(format!("{name:?} is not a transport: choose \"auto\", \"websocket\" or \"http\""))),
        }
    }
}
