use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::PathBuf,
};

use anyhow::{Context, Result, ensure};
use pgferry_local::{Account, temporary_directory};

/// Returns the directory that holds the servers' directories and their template, which belongs to the account and only to it.
pub(crate) fn base_directory(account: &Account) -> Result<PathBuf> {
    let directory = temporary_directory(account).join(format!("pgferry-test-{}", account.uid()));
    match fs::DirBuilder::new().mode(0o700).create(&directory) {
        Ok(()) => account.own(&directory)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be made", directory.display())),
    }
    let metadata = fs::symlink_metadata(&directory)?;
    // Between another process's making and giving away, root is the owner.
    ensure!(
        metadata.is_dir() && (metadata.uid() == account.uid() || (account.is_another() && metadata.uid() == 0)),
        "{} belongs to somebody else: remove it, or set TMPDIR to another directory",
        directory.display()
    );
    Ok(directory)
}
