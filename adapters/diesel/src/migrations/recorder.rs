use std::any::Any;

use diesel::{
    QueryResult,
    connection::{BoxableConnection, SimpleConnection},
    migration::{Migration, Result},
    pg::Pg,
};

/// Stands in for a connection, to learn a migration's script instead of running it.
#[derive(Default)]
pub(super) struct Recorder {
    script: String,
    ran: bool,
}

impl Recorder {
    /// Returns what a migration would run.
    ///
    /// # Errors
    ///
    /// The migration's own, as where it has no script for this direction; one that gives no script, but wants a connection.
    pub(super) fn script(run: impl FnOnce(&mut dyn BoxableConnection<Pg>) -> Result<()>) -> Result<String> {
        let mut recorder = Self::default();
        run(&mut recorder)?;
        match recorder.ran {
            true => Ok(recorder.script),
            false => {
                Err("the migration runs code instead of a script: run it with a connection over transport=websocket"
                    .into())
            }
        }
    }

    pub(super) fn up(migration: &dyn Migration<Pg>) -> Result<String> {
        Self::script(|connection| migration.run(connection))
    }

    pub(super) fn down(migration: &dyn Migration<Pg>) -> Result<String> {
        Self::script(|connection| migration.revert(connection))
    }
}

impl SimpleConnection for Recorder {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        if self.ran {
            self.script.push_str("\n;\n");
        }
        self.script.push_str(query);
        self.ran = true;
        Ok(())
    }
}

impl BoxableConnection<Pg> for Recorder {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
