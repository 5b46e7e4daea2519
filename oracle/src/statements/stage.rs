use anyhow::{Context, Result, ensure};

use crate::tcp::Connection;

const STATE: &str = "select stage.state()";
/// Tells whether anything was written: a transaction that writes takes a number, a sequence moves.
const TRACES: &str = "select pg_snapshot_xmax(pg_current_snapshot()) || \
     (select string_agg(coalesce(last_value, 0)::text, ' ' order by sequencename) from pg_sequences where schemaname = 'stage')";

/// What statements find and change: the same before each of them.
#[derive(Debug)]
pub(super) struct Stage {
    connection: Connection,
    fresh: String,
    traces: String,
}

impl Stage {
    pub(super) fn new(mut connection: Connection) -> Result<Self> {
        let fresh = one(&mut connection, STATE)?;
        let traces = one(&mut connection, TRACES)?;
        Ok(Self { connection, fresh, traces })
    }

    /// Returns all that a statement can have changed, and puts it back.
    pub(super) fn settle(&mut self) -> Result<String> {
        if one(&mut self.connection, TRACES)? == self.traces {
            return Ok(self.fresh.clone());
        }
        let found = one(&mut self.connection, STATE)?;
        if found != self.fresh {
            self.connection.script("select stage.reset()").context("the stage cannot be set anew")?;
            let again = one(&mut self.connection, STATE)?;
            ensure!(again == self.fresh, "the stage is not as it was: {again}, not {}", self.fresh);
        }
        self.traces = one(&mut self.connection, TRACES)?;
        Ok(found)
    }
}

fn one(connection: &mut Connection, question: &str) -> Result<String> {
    let rows = connection.script(question)?;
    rows.into_iter().flatten().flatten().next().context("the stage has no state")
}
