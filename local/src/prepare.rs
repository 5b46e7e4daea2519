use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{cluster::Cluster, kept::Kept, password::Password, watchdog::Watchdog};

pub(crate) const ROLE: &str = "app";
pub(crate) const DATABASE: &str = "app";

/// Makes the data directory of a throw-away server, and returns its roles' password.
pub(crate) fn temporary(
    directory: &Path,
    cluster: &Cluster<'_>,
    chosen: Option<Password>,
    watchdog: &mut Watchdog,
) -> Result<Password> {
    let password = chosen.map_or_else(Password::random, Ok)?;
    let file = directory.join("password");
    make(cluster, &password, &file, &["--no-sync", "--wal-segsize=1"], &["fsync=off"], watchdog)?;
    Ok(password)
}

/// Makes the data directory where there is none yet, gives its roles the chosen password where that is another, and returns it.
pub(crate) fn kept(
    kept: &Kept,
    cluster: &Cluster<'_>,
    chosen: Option<Password>,
    watchdog: &mut Watchdog,
) -> Result<Password> {
    let (file, next_file) = (kept.password(), kept.next_password());
    if !kept.data().is_dir() {
        let password = chosen.map_or_else(Password::random, Ok)?;
        // What an interrupted start has left.
        let unfinished = kept.data().with_extension("new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        make(&Cluster { data: &unfinished, ..*cluster }, &password, &file, &[], &[], watchdog)?;
        fs::rename(&unfinished, kept.data())?;
        return Ok(password);
    }
    let current = Password::read(&file)?;
    // A change that was interrupted may have reached the roles.
    let interrupted = Password::read(&next_file)?;
    let wanted = chosen.or_else(|| interrupted.clone()).or_else(|| current.clone());
    let password = wanted.map_or_else(Password::random, Ok)?;
    if interrupted.is_some() || current.as_ref() != Some(&password) {
        password.write(&next_file, cluster.account)?;
        let literal = password.literal();
        let roles = [ROLE, "postgres"].map(|role| format!("ALTER ROLE {role} PASSWORD {literal}"));
        cluster
            .execute(&roles.each_ref().map(String::as_str), &[], Some(watchdog))
            .context("the password cannot be set")?;
        fs::rename(&next_file, &file)?;
    }
    Ok(password)
}

/// Makes a data directory with the role and its database.
fn make(
    cluster: &Cluster<'_>,
    password: &Password,
    file: &Path,
    initdb: &[&str],
    settings: &[&str],
    watchdog: &mut Watchdog,
) -> Result<()> {
    password.write(file, cluster.account)?;
    cluster.make(file, initdb, Some(watchdog))?;
    let role = format!("CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE PASSWORD {}", password.literal());
    let database = format!("CREATE DATABASE {DATABASE} OWNER {ROLE}");
    cluster.execute(&[&role, &database], settings, Some(watchdog))
}
