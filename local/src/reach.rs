use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::account::Account;

/// Returns the directory for temporary files that an account can reach.
#[must_use]
pub fn temporary_directory(account: &Account) -> PathBuf {
    let temporary = std::env::temp_dir();
    // A private TMPDIR of root's is closed to the account that the server runs as.
    if account.is_another() && !is_open_to_all(&temporary) { "/tmp".into() } else { temporary }
}

/// Returns whether every account can reach a directory.
#[must_use]
pub fn is_open_to_all(directory: &Path) -> bool {
    directory.ancestors().all(|ancestor| fs::metadata(ancestor).is_ok_and(|metadata| metadata.mode() & 0o001 != 0))
}
