use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    account::Account, cluster::Cluster, installation::Installation, kept::Kept, password::Password,
    postmaster::Shutdown, prepare, reach::temporary_directory, watchdog::Watchdog,
};

/// As the providers have it, and the same everywhere.
const SETTINGS: [(&str, &str); 6] = [
    ("max_connections", "200"),
    ("password_encryption", "scram-sha-256"),
    ("unix_socket_directories", ""),
    ("TimeZone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
];

/// What makes a server faster whose data nobody needs after a crash.
const THROW_AWAY: [(&str, &str); 4] =
    [("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off"), ("max_wal_size", "256MB")];

/// Where a server's data are, and what follows from that.
#[derive(Debug)]
pub(crate) enum Place {
    Temporary(TempDir),
    Kept(Kept),
}

impl Place {
    /// Takes a temporary directory, or that for kept data.
    pub(crate) fn open(data: Option<&Path>, account: &Account, installation: &Installation) -> Result<Self> {
        match data {
            Some(directory) => Ok(Self::Kept(Kept::open(directory, account, installation)?)),
            None => Ok(Self::Temporary(temporary(account)?)),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        match self {
            Self::Temporary(directory) => directory.path(),
            Self::Kept(kept) => kept.directory(),
        }
    }

    /// Removes it, where it is temporary.
    pub(crate) fn close(self) -> Result<()> {
        match self {
            Self::Temporary(directory) => {
                let path = directory.path().to_owned();
                directory.close().with_context(|| format!("{} cannot be removed", path.display()))
            }
            Self::Kept(_) => Ok(()),
        }
    }

    /// Returns what is to be removed also when this process is killed.
    pub(crate) fn vanishing(&self) -> Option<&Path> {
        match self {
            Self::Temporary(directory) => Some(directory.path()),
            Self::Kept(_) => None,
        }
    }

    pub(crate) fn lock(&self) -> Option<&File> {
        match self {
            Self::Temporary(_) => None,
            Self::Kept(kept) => Some(kept.lock()),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        match self {
            Self::Temporary(directory) => directory.path().join("data"),
            Self::Kept(kept) => kept.data(),
        }
    }

    pub(crate) fn log(&self) -> PathBuf {
        match self {
            Self::Temporary(directory) => directory.path().join("log"),
            Self::Kept(kept) => kept.log(),
        }
    }

    pub(crate) fn shutdown(&self) -> Shutdown {
        match self {
            Self::Temporary(_) => Shutdown::Immediate,
            Self::Kept(_) => Shutdown::Fast,
        }
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let more = match self {
            Self::Temporary(_) => &THROW_AWAY[..],
            Self::Kept(_) => &[],
        };
        SETTINGS.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    pub(crate) fn last_port(&self) -> Option<u16> {
        match self {
            Self::Temporary(_) => None,
            Self::Kept(kept) => kept.last_port(),
        }
    }

    pub(crate) fn remember_port(&self, port: u16) -> Result<()> {
        match self {
            Self::Temporary(_) => Ok(()),
            Self::Kept(kept) => kept.remember_port(port),
        }
    }

    /// Sees to it that the data directory exists and that its roles have a password, and returns that.
    pub(crate) fn prepare(
        &self,
        cluster: &Cluster<'_>,
        chosen: Option<Password>,
        watchdog: &mut Watchdog,
    ) -> Result<Password> {
        match self {
            Self::Temporary(directory) => prepare::temporary(directory.path(), cluster, chosen, watchdog),
            Self::Kept(kept) => prepare::kept(kept, cluster, chosen, watchdog),
        }
    }
}

fn temporary(account: &Account) -> Result<TempDir> {
    let parent = temporary_directory(account);
    // Programs are started in another directory.
    let parent = fs::canonicalize(&parent).with_context(|| format!("there is no {}", parent.display()))?;
    let directory = tempfile::Builder::new()
        .prefix("pgferry-ephemeral-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .with_context(|| format!("no directory can be made in {}", parent.display()))?;
    account.own(directory.path())?;
    Ok(directory)
}
