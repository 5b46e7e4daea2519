use std::{fmt, str::FromStr};

use crate::error::{Error, Result};

/// When sqlx, as a client of a [`Bridge`](crate::bridge::Bridge), learns a statement's columns; any other client learns them when
/// it asks.
///
/// # Example
///
/// ```
/// use pgferry::{Config, config::Describe};
///
/// let config: Config = "postgresql://app@db.example/shop?describe=always".parse()?;
/// assert_eq!(config.get_describe(), Some(Describe::Always));
/// # Ok::<_, pgferry::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Describe {
    /// With its rows, so that a new statement costs one round trip. sqlx is content with that; a statement without parameters that
    /// is only prepared has one placeholder column until it is executed.
    #[default]
    Late,
    /// When it asks, as Postgres tells: for programs that look at a prepared statement's columns.
    Always,
}

impl fmt::Display for Describe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "late",
            Self::Always => "always",
        })
    }
}

impl FromStr for Describe {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "late" => Ok(Self::Late),
            "always" => Ok(Self::Always),
            _ => Err(Error::config(format!("{name:?} is not a way to describe: choose \"late\" or \"always\""))),
        }
    }
}
