//! diesel's migrations on every transport, each in one transaction with its record.
//!
//! [`FerryHarness`] takes the place of a connection in diesel's `MigrationHarness`. Each migration is applied by [`pgferry::migrate`]: under a
//! lock, so that two runners that start together apply each once, and over HTTP as one request.
//!
//! ```no_run
//! use diesel_migrations::{FileBasedMigrations, MigrationHarness};
//! use pgferry_diesel::migrations::FerryHarness;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let mut harness = FerryHarness::connect("postgresql://app:secret@db.example.com/app?transport=http")?;
//! harness.run_pending_migrations(FileBasedMigrations::find_migrations_directory()?)?;
//! # Ok(())
//! # }
//! ```

mod harness;
mod recorder;

pub use harness::FerryHarness;
