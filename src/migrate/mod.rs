//! Migrations, the same on every transport: each in one transaction with the row that records it.
//!
//! A [`Runner`] applies and reverts [`Migration`]s, which are recorded in the table that sqlx or diesel keeps ([`Ledger`]), so that
//! either's own runner can go on where this one ended. Two runners at the same time apply each migration once: whichever comes
//! second finds it recorded, under a lock that lasts as long as the transaction.
//!
//! ```no_run
//! use pgferry::migrate::{Folder, Runner};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = Folder::read("migrations")?;
//! let config = pgferry::Config::from_env()?;
//! let mut runner = Runner::connect(&config, folder.ledger()).await?;
//! let applied = runner.run(folder.migrations(), None, |migration| println!("{} {}", migration.version, migration.description)).await?;
//! println!("{applied} applied");
//! # Ok(()) }
//! ```

mod carrier;
mod error;
mod folder;
mod history;
mod ledger;
mod lock;
mod migration;
mod runner;
mod version;

pub use error::MigrateError;
pub use folder::{Folder, Layout};
pub use history::{Applied, State, Status};
pub use ledger::Ledger;
pub use migration::{Migration, Script};
pub use runner::Runner;
pub use version::Version;
