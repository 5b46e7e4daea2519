use std::fmt;

use diesel::{
    migration::{Migration, MigrationVersion, Result},
    pg::Pg,
};
use diesel_migrations::MigrationHarness;
use pgferry::{
    Config, Error, Outcome,
    migrate::{self, Ledger, MigrateError, Runner, Script, State, Version},
    runtime::Runtime,
};

use super::recorder::Recorder;

/// Applies and reverts diesel's migrations over any transport.
///
/// Migrations are recorded in diesel's own table, so that either's harness can go on where the other ended.
///
/// It blocks the calling thread. A migration of Rust code that wants a connection is refused: that needs diesel's own harness on a
/// [`FerryConnection`](crate::FerryConnection) over WebSocket.
pub struct FerryHarness {
    runtime: Runtime,
    // None while it is on the runtime's thread, and for ever once it was lost there.
    runner: Option<Runner>,
}

impl FerryHarness {
    /// Connects with a URL or a [`Config`]. Over HTTP nothing is sent yet; with [`Transport::Auto`](crate::Transport::Auto) it is a session.
    ///
    /// # Errors
    ///
    /// Those of [`Runner::connect`]: a host that is a pooler is refused.
    pub fn connect<C>(config: C) -> std::result::Result<Self, MigrateError>
    where
        C: TryInto<Config>,
        C::Error: Into<Error>,
    {
        let config: Config = config.try_into().map_err(Into::into)?;
        let runtime = Runtime::start()?;
        let runner = runtime.block_on(async move { Ok(Runner::connect(&config, Ledger::diesel()).await) })??;
        Ok(Self { runtime, runner: Some(runner) })
    }

    fn with<T, F>(&mut self, operation: impl FnOnce(Runner) -> F) -> std::result::Result<T, MigrateError>
    where
        F: Future<Output = (Runner, std::result::Result<T, MigrateError>)> + Send + 'static,
        T: Send + 'static,
    {
        let Some(runner) = self.runner.take() else {
            return Err(Error::closed("the harness was lost: connect another", Outcome::NotExecuted).into());
        };
        let running = operation(runner);
        let (runner, result) = self.runtime.block_on(async move { Ok(running.await) })?;
        self.runner = Some(runner);
        result
    }
}

impl MigrationHarness<Pg> for FerryHarness {
    fn run_migration(&mut self, migration: &dyn Migration<Pg>) -> Result<MigrationVersion<'static>> {
        let version = migration.name().version().as_owned();
        let step = step(migration, Recorder::up(migration)?, None);
        self.with(|mut runner| async move {
            let result = runner.run_one(&step).await;
            (runner, result)
        })?;
        Ok(version)
    }

    fn revert_migration(&mut self, migration: &dyn Migration<Pg>) -> Result<MigrationVersion<'static>> {
        let version = migration.name().version().as_owned();
        let step = step(migration, String::new(), Some(Recorder::down(migration)?));
        self.with(|mut runner| async move {
            let result = runner.revert_one(&step).await;
            (runner, result)
        })?;
        Ok(version)
    }

    fn applied_migrations(&mut self) -> Result<Vec<MigrationVersion<'static>>> {
        let all = self.with(|mut runner| async move {
            let result = runner.status(&[]).await;
            (runner, result)
        })?;
        let applied = all.into_iter().filter(|status| !matches!(status.state, State::Pending));
        let mut versions: Vec<MigrationVersion<'static>> =
            applied.map(|status| MigrationVersion::from(status.version.as_str().to_owned())).collect();
        // The last one first, as diesel's own harness gives them.
        versions.sort_unstable_by(|a, b| b.cmp(a));
        Ok(versions)
    }
}

impl fmt::Debug for FerryHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runtime: _, runner } = self;
        f.debug_struct("FerryHarness").field("runner", runner).finish()
    }
}

/// A migration of diesel's as the engine takes it.
fn step(migration: &dyn Migration<Pg>, up: String, down: Option<String>) -> migrate::Migration {
    let name = migration.name();
    let transactional = migration.metadata().run_in_transaction();
    let mut step = migrate::Migration::new(Version::new(name.version().to_string()), name.to_string(), up);
    step.up.transactional = transactional;
    step.down = down.map(|text| Script { text: text.into(), transactional });
    step
}
