use std::fmt;

use pgferry::net::Step;

/// A step from nothing to the first row, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before anything is sent: the configuration, the credential, root certificates.
    Configuration,
    Dns,
    Tcp,
    Tls,
    Upgrade,
    LogIn,
    FirstRow,
    /// A statement on a connection that is open.
    Warm,
}

impl Phase {
    /// Those that a try is made of and that take time.
    pub(super) const TIMED: [Self; 6] = [Self::Dns, Self::Tcp, Self::Tls, Self::Upgrade, Self::LogIn, Self::FirstRow];

    /// The key in JSON.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Upgrade => "upgrade",
            Self::LogIn => "log_in",
            Self::FirstRow => "first_row",
            Self::Warm => "warm",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Configuration => "configuration",
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Upgrade => "upgrade",
            Self::LogIn => "log-in",
            Self::FirstRow => "first row",
            Self::Warm => "warm statement",
        })
    }
}

impl From<Option<Step>> for Phase {
    fn from(step: Option<Step>) -> Self {
        match step {
            Some(Step::Dns) => Self::Dns,
            Some(Step::Tls) => Self::Tls,
            Some(Step::Tcp) => Self::Tcp,
            _ => Self::Configuration,
        }
    }
}
