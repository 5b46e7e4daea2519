use std::{
    fs::{self, File, OpenOptions},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// What marks a directory as one of ours, and says what wrote it.
const MARK: &str = "pgferry-embedded";

/// What the names of private directories begin with.
const PREFIX: &str = "pgferry-embedded-";

/// The file in a private directory that is locked for as long as anybody uses it.
const LOCK: &str = "lock";

/// Where the engine keeps its data and its private socket.
#[derive(Debug)]
pub(crate) struct Place {
    directory: PathBuf,
    private: PathBuf,
    _lock: File,
}

impl Place {
    /// Opens the directory of kept data, or makes a temporary one. Removes those that processes left behind when they were killed.
    pub(crate) fn open(kept: Option<&Path>) -> Result<Self> {
        let (private, lock) = private()?;
        sweep(&private);
        let place =
            Self { directory: kept.map_or_else(|| private.join("data"), Path::to_path_buf), private, _lock: lock };
        place.claim()?;
        Ok(place)
    }

    /// Returns where the engine keeps its files.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.join("engine")
    }

    /// Returns the path of the engine's socket, which nobody else can reach.
    pub(crate) fn socket(&self) -> PathBuf {
        self.private.join(".s.PGSQL.5432")
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn claim(&self) -> Result<()> {
        let shown = self.directory.display();
        let mark = self.directory.join(MARK);
        match fs::read_dir(&self.directory) {
            Ok(mut entries) => {
                if entries.next().is_some() && !mark.exists() {
                    bail!(
                        "{shown} is not empty and was not made by the embedded PostgreSQL: name another directory, or one that does \
                         not exist"
                    );
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_private(&self.directory, true)?;
            }
            Err(error) => return Err(error).with_context(|| format!("{shown} cannot be read")),
        }
        fs::write(&mark, "PostgreSQL 17, 32 bits: a data directory that no installed server can open\n")
            .with_context(|| format!("{shown} cannot be written to"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Temporary data are in it, kept ones are not. There is nobody to tell, and nothing else to do.
        let _ = fs::remove_dir_all(&self.private);
    }
}

/// Makes a private directory. The path of a socket has to be short, so it is never below that of the data.
fn private() -> Result<(PathBuf, File)> {
    loop {
        let random = crate::message::random()?;
        let private = std::env::temp_dir().join(format!("{PREFIX}{}", random.get(..16).unwrap_or(&random)));
        make_private(&private, false)?;
        let locked = lock(&private).and_then(|lock| Ok(lock.try_lock_shared().map(|()| lock)?));
        match locked {
            Ok(lock) => return Ok((private, lock)),
            // Another process takes it for one that was left behind, and removes it.
            Err(_) if !private.exists() => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be locked", private.display())),
        }
    }
}

/// Keeps the private directory of a socket from being swept, until the file is closed.
pub(crate) fn share(socket: &Path) -> Result<File> {
    let private = socket.parent().context("the socket has no directory")?;
    let lock = lock(private)?;
    lock.try_lock_shared().with_context(|| format!("{} cannot be locked", private.display()))?;
    Ok(lock)
}

/// Removes the private directories beside this one whose processes have ended.
fn sweep(private: &Path) {
    let owner = |path: &Path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_dir).map(|found| owner(&found));
    let Some(entries) = private.parent().and_then(|parent| fs::read_dir(parent).ok()) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path == private || !entry.file_name().to_string_lossy().starts_with(PREFIX) || owner(&path) != owner(private)
        {
            continue;
        }
        // One that is being made has no file yet.
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        if lock.try_lock().is_ok()
            && let Err(error) = fs::remove_dir_all(&path)
        {
            tracing::debug!("{} was left behind and cannot be removed: {error}", path.display());
        }
    }
}

fn lock(private: &Path) -> Result<File> {
    let path = private.join(LOCK);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("{} cannot be made", path.display()))
}

#[cfg(unix)]
fn owner(found: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(found)
}

#[cfg(not(unix))]
fn owner(_: &fs::Metadata) {}

fn make_private(directory: &Path, with_parents: bool) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(with_parents);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).with_context(|| format!("{} cannot be made", directory.display()))
}
