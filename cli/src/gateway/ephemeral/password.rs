use std::env::{self, VarError};

use anyhow::bail;

const VARIABLE: &str = "PGFERRY_EPHEMERAL_PASSWORD";

/// Returns the password that the environment asks for. No flag has it, since every user of the machine can read the list of processes.
pub(super) fn from_env() -> anyhow::Result<Option<String>> {
    match env::var(VARIABLE) {
        // Unset and empty are the same to those who write `VARIABLE=${SECRET}`.
        Ok(password) => Ok(Some(password).filter(|password| !password.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
    }
}
