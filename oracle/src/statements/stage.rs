use anyhow::{Context, Result};

use crate::tcp::Connection;

/// What statements find and change: the same before each of them.
#[derive(Debug)]
pub(super) struct Stage {
    connection: Connection,
    fresh: String,
}

impl Stage {
    pub(super) fn new(mut connection: Connection) -> Result<Self> {
        let fresh = read(&mut connection)?;
        Ok(Self { connection, fresh })
    }

    /// Returns all that a statement can have changed, and puts it back.
    pub(super) fn settle(&mut self) -> Result<String> {
        let found = read(&mut self.connection)?;
        if found != self.fresh {
            self.connection.script("select stage.reset()").context("the stage cannot be set anew")?;
            let again = read(&mut self.connection)?;
            anyhow::ensure!(again == self.fresh, "the stage is not as it was: {again}, not {}", self.fresh);
        }
        Ok(found)
    }
}

fn read(connection: &mut Connection) -> Result<String> {
    let rows = connection.script("select stage.state()")?;
    rows.into_iter().flatten().flatten().next().context("the stage has no state")
}
