//! sqlx's migrations over either transport.
//!
//! Over WebSocket, [`Migrator::run`] works on a pool as it does over TCP. It needs a session; these functions do not, and so
//! work over HTTP too: each migration is one request, in one transaction with its row in sqlx's own table. They take the lock that
//! sqlx takes, so that runners of both kinds may meet. A migration that runs outside a transaction (`-- no-transaction`) is
//! recorded as begun first, and runs statement by statement.
//!
//! ```no_run
//! use std::path::Path;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let migrator = sqlx::migrate::Migrator::new(Path::new("migrations")).await?; // or sqlx::migrate!()
//! let config = pgferry_sqlx::Config::from_env()?.transport(pgferry_sqlx::Transport::Http);
//! pgferry_sqlx::migrate::run(&migrator, &config).await?;
//! # Ok(()) }
//! ```

mod failure;

use std::borrow::Cow;

use pgferry::{
    Config, Error,
    migrate::{Ledger, Migration, Runner, Script, Status},
};
use sqlx::migrate::{MigrateError, Migrator};

use failure::from_engine;

/// Applies the migrations that are pending, as [`Migrator::run`] does.
///
/// # Errors
///
/// sqlx's own: a migration failed, was changed, is missing or was left halfway; no connection; a pooler as the host
/// ([`Config::is_pooled`]). Those before the one that failed stay applied and recorded.
pub async fn run<T>(migrator: &Migrator, target: T) -> Result<(), MigrateError>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    up(migrator, target, None).await
}

/// Applies the pending migrations up to a version, as [`Migrator::run_to`] does.
///
/// # Errors
///
/// As of [`run`]; [`MigrateError::VersionNotPresent`] where the migrator has no such version.
pub async fn run_to<T>(migrator: &Migrator, version: i64, target: T) -> Result<(), MigrateError>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    up(migrator, target, Some(version)).await
}

/// Reverts the migrations after a version, the last one first, as [`Migrator::undo`] does. The version is one of the migrator's, or 0,
/// which is before all of them.
///
/// # Errors
///
/// As of [`run`]; also where a migration that is to be reverted has no script for it, before anything is reverted.
pub async fn undo<T>(migrator: &Migrator, version: i64, target: T) -> Result<(), MigrateError>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    let mut runner = connect(migrator, target).await?;
    runner.revert(&migrations(migrator), Some(&version.into()), |_| ()).await.map(drop).map_err(from_engine)
}

/// Tells how the migrations stand in the database, those included that are applied and that the migrator does not have. Changes
/// nothing.
///
/// # Errors
///
/// No connection; a pooler as the host.
pub async fn status<T>(migrator: &Migrator, target: T) -> Result<Vec<Status>, MigrateError>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    connect(migrator, target).await?.status(&migrations(migrator)).await.map_err(from_engine)
}

async fn up<T>(migrator: &Migrator, target: T, version: Option<i64>) -> Result<(), MigrateError>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    let version = version.map(Into::into);
    let mut runner = connect(migrator, target).await?;
    runner.run(&migrations(migrator), version.as_ref(), |_| ()).await.map(drop).map_err(from_engine)
}

async fn connect<T>(migrator: &Migrator, target: T) -> Result<Runner, MigrateError>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    let config = target.try_into().map_err(|error| crate::connect::configuration(error.into()))?;
    let mut ledger = Ledger::sqlx().with_table(migrator.table_name.clone());
    for schema in migrator.create_schemas.iter() {
        ledger = ledger.with_schema(schema.clone());
    }
    let runner = Runner::connect(&config, ledger).await.map_err(from_engine)?;
    Ok(runner.allow_missing(migrator.ignore_missing))
}

fn migrations(migrator: &Migrator) -> Vec<Migration> {
    let script = |migration: &sqlx::migrate::Migration| Script {
        text: migration.sql.as_str().to_owned().into(),
        transactional: !(migration.no_tx || migrator.no_tx),
    };
    let downs = || migrator.iter().filter(|migration| migration.migration_type.is_down_migration());
    migrator
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| Migration {
            version: migration.version.into(),
            description: migration.description.clone(),
            up: script(migration),
            down: downs().find(|down| down.version == migration.version).map(script),
            checksum: Cow::Owned(migration.checksum.to_vec()),
        })
        .collect()
}
