use std::{env, fs, path::Path, process::Command};

#[cfg(unix)]
use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

/// Accounts that a server may run as when the current one is root, which PostgreSQL refuses to.
const CANDIDATES: [&str; 3] = ["postgres", "nobody", "daemon"];

/// Whom a server runs as.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    uid: u32,
    /// What to become, when the current account is root.
    drop_to: Option<(u32, u32)>,
}

impl Account {
    /// Returns the current account, or an unprivileged one where that is root.
    ///
    /// # Errors
    ///
    /// When it is root and the system has no account that a server could run as.
    pub fn unprivileged() -> Result<Self> {
        let current = rustix::process::geteuid();
        if !current.is_root() {
            return Ok(Self::current());
        }
        let accounts = fs::read_to_string("/etc/passwd").context("/etc/passwd cannot be read")?;
        let (uid, gid) = CANDIDATES.iter().find_map(|name| ids(&accounts, name)).context(
            "PostgreSQL does not run as root and there is neither an account postgres nor nobody: run this as another user",
        )?;
        Ok(Self { uid, drop_to: Some((uid, gid)) })
    }

    /// Returns the current account.
    #[must_use]
    pub fn current() -> Self {
        Self { uid: rustix::process::geteuid().as_raw(), drop_to: None }
    }

    /// Returns a command that runs as this account, leads a process group of its own and starts in the root directory. So neither a
    /// terminal's interrupt nor a test runner's kill reaches it before whoever cleans up after it.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir("/").process_group(0);
        // Those of Postgres and of pgferry change what programs do, and some are passwords.
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        if let Some((uid, gid)) = self.drop_to {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or directory to this account.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn own(&self, path: &Path) -> Result<()> {
        if let Some((uid, gid)) = self.drop_to {
            std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .with_context(|| format!("{} cannot be given to user {uid}", path.display()))?;
        }
        Ok(())
    }

    /// Returns its number.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Returns whether this account differs from the current one.
    #[must_use]
    pub fn is_another(&self) -> bool {
        self.drop_to.is_some()
    }
}

/// Finds an account's user and group, unless it is root under another name.
fn ids(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let fields: Vec<&str> =
        passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
    let (uid, gid) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
    (uid != 0).then_some((uid, gid))
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn accounts_are_found_by_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\npostgres:x:105:110::/var/lib/postgresql:/bin/bash\nodd\n";
        assert_eq!(ids(passwd, "postgres"), Some((105, 110)));
        assert_eq!(ids(passwd, "toor"), None);
        assert_eq!(ids(passwd, "odd"), None);
        assert_eq!(ids(passwd, "nobody"), None);
    }
}
