use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result, ensure};

use crate::{account::Account, secret::random_password};

/// The password of both roles.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// Takes a password that somebody chose.
    pub(crate) fn chosen(text: &str) -> Result<Self> {
        ensure!(!text.is_empty(), "the password is empty: Postgres would let nobody in with it");
        ensure!(
            !text.contains(char::is_control),
            "the password has a control character in it, such as the end of a line"
        );
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn random() -> Result<Self> {
        random_password().map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it as a string constant of SQL, wherever `standard_conforming_strings` stands.
    pub(crate) fn literal(&self) -> String {
        let text = self.0.replace('\'', "''");
        if text.contains('\\') { format!("E'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") }
    }

    /// Reads it from a file, if there is one.
    pub(crate) fn read(file: &Path) -> Result<Option<Self>> {
        match fs::read_to_string(file) {
            Ok(text) => Ok(Some(
                Self::chosen(text.trim_end_matches('\n')).with_context(|| format!("{} is damaged", file.display()))?,
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
        }
    }

    /// Writes it to a file, in place of another, that only the account can read.
    pub(crate) fn write(&self, path: &Path, account: &Account) -> Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let write = |mut file: File| {
            writeln!(file, "{}", self.0)?;
            file.sync_all()
        };
        options.open(path).and_then(write).with_context(|| format!("{} cannot be written", path.display()))?;
        account.own(path)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_quoted_and_never_shown() {
        let literal = |text| Password::chosen(text).unwrap().literal();
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
        assert!(Password::chosen("").is_err() && Password::chosen("a\nb").is_err());
        assert!(!format!("{:?}", Password::chosen("sesame").unwrap()).contains("sesame"));
    }
}
