use std::{fmt, str::FromStr};

/// How callers log in through the WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WsAuth {
    /// The gateway asks for the password in cleartext, inside TLS or on the loopback interface, and logs in upstream for
    /// the caller. Start-up, password and the first query may come in one frame, which saves round trips; the official
    /// JavaScript driver does so by default.
    #[default]
    Cleartext,
    /// The upstream's own authentication is relayed, SCRAM as a rule: the gateway never sees the password.
    Relay,
}

impl fmt::Display for WsAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cleartext => "cleartext",
            Self::Relay => "relay",
        })
    }
}

impl FromStr for WsAuth {
    type Err = pgferry::Error;

    fn from_str(name: &str) -> pgferry::Result<Self> {
        match name {
            "cleartext" => Ok(Self::Cleartext),
            "relay" => Ok(Self::Relay),
            _ => Err(pgferry::Error::refused(format!("{name:?} is no way to log in: use cleartext or relay"))),
        }
    }
}
