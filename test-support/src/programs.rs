use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result, ensure};
use pgferry_local::{Account, is_open_to_all};

/// Returns a folder with the same programs that the account can read: where it cannot, a copy with all that lies beside them.
pub(crate) fn readable(programs: &Path, account: &Account, base: &Path) -> Result<PathBuf> {
    if !account.is_another() || is_open_to_all(programs) {
        return Ok(programs.to_owned());
    }
    let (root, name) = programs.parent().zip(programs.file_name()).context("the programs are in no folder")?;
    let changed = fs::metadata(programs)?.modified()?.duration_since(UNIX_EPOCH)?.as_secs();
    let key = root.to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let copy = base.join(format!("programs{key}-{changed}"));
    let lock = File::open(base)?;
    lock.lock()?;
    if !copy.is_dir() {
        let unfinished = copy.with_extension("new");
        let status = Command::new("cp").arg("-RpT").arg(root).arg(&unfinished).status()?;
        ensure!(status.success(), "{} cannot be copied to {}", root.display(), unfinished.display());
        fs::rename(&unfinished, &copy)?;
    }
    Ok(copy.join(name))
}
