use anyhow::{Result, bail};

use crate::say::{complain, say};

/// What has to hold, and whether it did.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    failed: Vec<String>,
}

impl Checks {
    /// Notes whether something that has to hold does.
    pub(crate) fn that(&mut self, holds: bool, what: impl Into<String>) {
        let what = what.into();
        if holds {
            say(&format!("  holds: {what}"));
        } else {
            complain(&format!("does not hold: {what}"));
            self.failed.push(what);
        }
    }

    /// Says whether all held.
    pub(crate) fn finish(self) -> Result<()> {
        if self.failed.is_empty() {
            say("everything held");
            return Ok(());
        }
        bail!("did not hold: {}", self.failed.join("; "))
    }
}
