use std::fmt::Write as _;

use anyhow::{Result, anyhow};

/// Makes a password that nobody can guess: 32 hexadecimal digits.
///
/// # Errors
///
/// When the system gives no random bytes.
pub fn random_password() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes.iter().fold(String::new(), |mut password, byte| {
        // Writing to a string cannot fail.
        let _ = write!(password, "{byte:02x}");
        password
    }))
}
