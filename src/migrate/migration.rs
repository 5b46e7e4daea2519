use std::borrow::Cow;

use sha2::{Digest, Sha384};

use super::Version;

/// One step of a schema's history: how to take it, and, for some, how to take it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the history.
    pub version: Version,
    /// What it is about.
    pub description: Cow<'static, str>,
    /// What applies it.
    pub up: Script,
    /// What reverts it, where that is possible.
    pub down: Option<Script>,
    /// The SHA-384 of what applies it, by which sqlx notices that a migration was changed after it had been applied.
    pub checksum: Cow<'static, [u8]>,
}

/// The statements that apply or revert a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The text, with semicolons between the statements.
    pub text: Cow<'static, str>,
    /// Whether it runs in a transaction. What forbids one, as `CREATE INDEX CONCURRENTLY` does, runs statement by statement.
    pub transactional: bool,
}

impl Migration {
    /// Makes a migration that runs in a transaction and cannot be reverted.
    pub fn new(version: Version, description: impl Into<Cow<'static, str>>, up: impl Into<Cow<'static, str>>) -> Self {
        let up = Script { text: up.into(), transactional: true };
        let checksum = Sha384::digest(up.text.as_bytes()).to_vec().into();
        Self { version, description: description.into(), up, down: None, checksum }
    }
}
