use std::{fmt, str::FromStr};

use super::RequireAuth;
use crate::error::{Error, Result};

/// Whose endpoint it is: what its URLs look like and how it asks for a password (PROTOCOL.md, section 1).
///
/// # Example
///
/// ```
/// use pgferry::config::Provider;
///
/// assert_eq!(Provider::of_host("ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech"), Provider::Neon);
/// assert_eq!(Provider::of_host("db.example"), Provider::Other);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Neon.
    Neon,
    /// PlanetScale Postgres.
    PlanetScale,
    /// Any other: pgferry's own gateway, a WebSocket proxy, Supavisor.
    Other,
}

impl Provider {
    /// Returns the provider that a host's name belongs to.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if host.ends_with(".neon.tech") {
            Self::Neon
        } else if host.ends_with(".pg.psdb.cloud") || host.ends_with(".horizon.psdb.cloud") {
            Self::PlanetScale
        } else {
            Self::Other
        }
    }

    /// Returns how its servers are known to ask for proof; whatever else one asks for is suspect.
    pub(super) fn require_auth(self) -> RequireAuth {
        match self {
            Self::Neon => RequireAuth::PASSWORD | RequireAuth::SCRAM_SHA_256,
            Self::PlanetScale => RequireAuth::SCRAM_SHA_256,
            Self::Other => RequireAuth::ANY,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Neon => "neon",
            Self::PlanetScale => "planetscale",
            Self::Other => "other",
        })
    }
}

impl FromStr for Provider {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "neon" => Ok(Self::Neon),
            "planetscale" => Ok(Self::PlanetScale),
            "other" => Ok(Self::Other),
            _ => {
                Err(Error::config(format!("{name:?} is not a provider: choose \"neon\", \"planetscale\" or \"other\"")))
            }
        }
    }
}
