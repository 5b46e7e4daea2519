use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::account::Account;

/// Returns the directory that holds the servers' directories and their template, which belongs to the account and only to it.
pub(crate) fn base_directory(account: &Account) -> Result<PathBuf> {
    let temporary = std::env::temp_dir();
    // A private TMPDIR of root's is closed to the account that the server runs as.
    let parent = if account.is_another() && !is_open_to_all(&temporary) { Path::new("/tmp") } else { &temporary };
    let directory = parent.join(format!("pgferry-test-{}", account.uid));
    match fs::DirBuilder::new().mode(0o700).create(&directory) {
        Ok(()) => account.own(&directory)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be made", directory.display())),
    }
    let metadata = fs::symlink_metadata(&directory)?;
    // Between another process's making and giving away, root is the owner.
    ensure!(
        metadata.is_dir() && (metadata.uid() == account.uid || (account.is_another() && metadata.uid() == 0)),
        "{} belongs to somebody else: remove it, or set TMPDIR to another directory",
        directory.display()
    );
    Ok(directory)
}

/// Returns whether every account can reach a directory.
pub(crate) fn is_open_to_all(directory: &Path) -> bool {
    directory.ancestors().all(|ancestor| fs::metadata(ancestor).is_ok_and(|metadata| metadata.mode() & 0o001 != 0))
}
