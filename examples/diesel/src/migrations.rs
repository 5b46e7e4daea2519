//! Migrations at start-up, which are part of the program: two copies of it start at once, and each migration is applied once.

use std::thread;

use anyhow::{anyhow, ensure};
use diesel::{migration::MigrationSource, pg::Pg, prelude::*};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use pgferry_diesel::{FerryConnection, migrations::FerryHarness};

use crate::schema::ferry_berths;

/// The folder `migrations`, as `diesel migration generate` lays it out.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Does everything once, and reverts its own migrations at the end; returns what it found. diesel's table of migrations stays.
///
/// # Errors
///
/// What the database or the transport says.
pub fn run(url: &str) -> anyhow::Result<Vec<String>> {
    let mut applied = thread::scope(|scope| {
        let starts = [(), ()].map(|()| scope.spawn(|| start_up(url)));
        let ends = starts.map(|start| start.join().unwrap_or_else(|_| Err(anyhow!("a start panicked"))));
        ends.into_iter().collect::<anyhow::Result<Vec<_>>>()
    })?
    .concat();
    // Whoever waits for the other's lock finds the migration applied, and names it too.
    applied.sort();
    applied.dedup();
    ensure!(applied.len() == 2, "{applied:?} were applied");

    let mut connection = FerryConnection::connect(url)?;
    let free: i64 = ferry_berths::table.filter(ferry_berths::booked.eq(false)).count().get_result(&mut connection)?;
    let mut lines: Vec<_> = applied.into_iter().map(|name| format!("applied {name}")).collect();
    lines.push(format!("{free} berths are free"));

    revert(url)?;
    Ok(lines)
}

/// What a program does before anything else; returns the migrations that were not applied when it came.
///
/// # Errors
///
/// What the database or the transport says.
pub fn start_up(url: &str) -> anyhow::Result<Vec<String>> {
    let mut harness = FerryHarness::connect(url)?;
    let applied = harness.run_pending_migrations(MIGRATIONS).map_err(|error| anyhow!(error))?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn revert(url: &str) -> anyhow::Result<()> {
    let mut harness = FerryHarness::connect(url)?;
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(|error| anyhow!(error))?;
    for migration in migrations.iter().rev() {
        harness.revert_migration(migration).map_err(|error| anyhow!(error))?;
    }
    Ok(())
}
