use std::{
    env::{self, VarError},
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, bail};
use pgferry::{bridge::Bridge, config::Password};

use crate::problem::Usage;

const VARIABLE: &str = "PGFERRY_BRIDGE_PASSWORD";

/// Returns the password that the file keeps, or else that the environment gives; `None` where it is to be a new one.
///
/// No flag has it, since every user of the machine can read the list of processes.
pub(super) fn given(file: Option<&Path>) -> anyhow::Result<Option<Password>> {
    match file {
        Some(file) => kept(file),
        None => from_env(),
    }
}

/// Keeps the bridge's new password in a file that only this user can read.
pub(super) fn keep(bridge: &Bridge, file: &Path) -> anyhow::Result<()> {
    create(file)
        .and_then(|mut created| writeln!(created, "{}", bridge.password().reveal()))
        .with_context(|| format!("the password cannot be kept in {}", file.display()))
}

fn kept(file: &Path) -> anyhow::Result<Option<Password>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Usage(format!("{} cannot be read: {error}", file.display())).into()),
    };
    if is_open_to_others(file) {
        let file = file.display();
        return Err(Usage(format!(
            "others can read the password in {file}: chmod 600 {file}, and change the password"
        ))
        .into());
    }
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(Some(password.into())),
        _ => Err(Usage(format!("{} has no password in its first line", file.display())).into()),
    }
}

fn from_env() -> anyhow::Result<Option<Password>> {
    match env::var(VARIABLE) {
        // Unset and empty are the same to those who write `VARIABLE=${SECRET}`.
        Ok(password) => Ok(Some(password).filter(|password| !password.is_empty()).map(Password::from)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
    }
}

#[cfg(unix)]
fn create(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn create(file: &Path) -> io::Result<File> {
    File::create_new(file)
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(file).is_ok_and(|found| found.is_file() && found.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_file: &Path) -> bool {
    false
}
