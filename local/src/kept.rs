use std::{
    fs::{self, DirBuilder, File},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{account::Account, installation::Installation, lock, reach::is_open_to_all};

/// What says that a directory is of this crate.
const MARK: &str = "pgferry-local";
/// What says that a directory is of the embedded PostgreSQL.
const EMBEDDED_MARK: &str = "pgferry-embedded";
const LOCK: &str = "lock";
const DATA: &str = "data";
/// What may be in a directory that is as good as empty: the second is in every new file system.
const NOTHING: [&str; 2] = [LOCK, "lost+found"];

/// A directory for data that outlive their server, which this process alone uses.
///
/// In it are: `pgferry-local`, the mark; `lock`; `data`, the data directory of PostgreSQL; `password` and `port`, those that it was last
/// started with; `log`, the log of the last start.
#[derive(Debug)]
pub(crate) struct Kept {
    directory: PathBuf,
    lock: File,
}

impl Kept {
    /// Opens a directory of kept data, or makes one.
    pub(crate) fn open(directory: &Path, account: &Account, installation: &Installation) -> Result<Self> {
        Self::take(directory, account, installation)
            .with_context(|| format!("the data cannot be kept in {}", directory.display()))
    }

    fn take(directory: &Path, account: &Account, installation: &Installation) -> Result<Self> {
        let directory = made(directory, account)?;
        refuse_anothers(&directory)?;
        let data = directory.join(DATA);
        let owner = fs::metadata(if data.is_dir() { &data } else { &directory })?.uid();
        // Root can give an empty directory to whom the server runs as.
        ensure!(
            owner == account.uid() || (account.is_another() && !data.is_dir()),
            "it belongs to user {owner}, and PostgreSQL runs as user {}: run this as the former, or take another directory",
            account.uid()
        );
        let lock = lock::take(&directory.join(LOCK))?;
        // Two may have found it empty at the same time.
        refuse_anothers(&directory)?;
        let kept = Self { directory, lock };
        kept.refuse_another_version(installation)?;
        account.own(&kept.directory)?;
        fs::set_permissions(&kept.directory, fs::Permissions::from_mode(0o700))?;
        let mark = kept.directory.join(MARK);
        fs::write(mark, "Data of a PostgreSQL that `pgferry gateway --ephemeral --data` starts.\n")?;
        Ok(kept)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn lock(&self) -> &File {
        &self.lock
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join(DATA)
    }

    pub(crate) fn password(&self) -> PathBuf {
        self.directory.join("password")
    }

    /// Returns the file of a password that may not yet be the roles' own.
    pub(crate) fn next_password(&self) -> PathBuf {
        self.directory.join("password.new")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub(crate) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.directory.join("port")).ok()?.trim().parse().ok()
    }

    pub(crate) fn remember_port(&self, port: u16) -> Result<()> {
        let file = self.directory.join("port");
        fs::write(&file, format!("{port}\n")).with_context(|| format!("{} cannot be written", file.display()))
    }

    fn refuse_another_version(&self, installation: &Installation) -> Result<()> {
        let Ok(version) = fs::read_to_string(self.data().join("PG_VERSION")) else { return Ok(()) };
        ensure!(
            version.trim() == installation.major().to_string(),
            "they were made by PostgreSQL {}, and {} has PostgreSQL {}: name the directory of a PostgreSQL {0} with \
             PGFERRY_POSTGRES_BIN or --postgres-bin, or begin with another directory",
            version.trim(),
            installation.directory().display(),
            installation.major()
        );
        Ok(())
    }
}

/// Returns the directory with all links resolved, after making it where it does not exist.
fn made(directory: &Path, account: &Account) -> Result<PathBuf> {
    if let Ok(directory) = fs::canonicalize(directory) {
        ensure!(directory.is_dir(), "it is no directory");
        ensure_reach(directory.parent().unwrap_or(&directory), account)?;
        return Ok(directory);
    }
    let name = directory.file_name().context("it has no name")?;
    let parent = directory.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let parent = fs::canonicalize(parent)?;
    ensure_reach(&parent, account)?;
    let directory = parent.join(name);
    DirBuilder::new().mode(0o700).create(&directory)?;
    Ok(directory)
}

fn ensure_reach(parent: &Path, account: &Account) -> Result<()> {
    ensure!(
        !account.is_another() || is_open_to_all(parent),
        "PostgreSQL does not run as root, and user {} that it runs as instead cannot reach {}: take a directory that everybody can reach, \
         such as one in /var/tmp, or run this as another user",
        account.uid(),
        parent.display()
    );
    Ok(())
}

/// Refuses a directory that has something in it which is not of this crate.
fn refuse_anothers(directory: &Path) -> Result<()> {
    let entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
    if entries.iter().any(|name| name == MARK) {
        return Ok(());
    }
    if entries.iter().any(|name| name == EMBEDDED_MARK) {
        bail!(
            "it has the data of the PostgreSQL that is compiled into pgferry, which an installed one cannot read: add --embedded, or take \
             another directory"
        );
    }
    if entries.iter().any(|name| name == "PG_VERSION") {
        bail!(
            "it is a data directory of a PostgreSQL server that pgferry did not make: start that server, and name it with --upstream"
        );
    }
    let strange = entries.iter().find(|name| NOTHING.iter().all(|nothing| name != nothing));
    match strange {
        Some(name) => bail!(
            "it is not empty, and pgferry did not make it (it has {:?}): take an empty directory, or one that does not exist",
            name.to_string_lossy()
        ),
        None => Ok(()),
    }
}
