use std::borrow::Cow;

use super::{MigrateError, Migration, Version};
use crate::sql::literal;

/// What stands behind a version in diesel's table while a migration runs outside a transaction. diesel takes it for a migration that
/// it does not know.
pub(super) const BEGUN: &str = " begun";

/// For how long a migration that has begun outside a transaction is taken to be another runner's present work.
const JUST_NOW: &str = "5 seconds";

/// Where applied migrations are recorded: the table of sqlx's migrator or of diesel's.
///
/// # Example
///
/// ```
/// use pgferry::migrate::Ledger;
///
/// assert_eq!(Ledger::sqlx().table(), "_sqlx_migrations");
/// assert_eq!(Ledger::diesel().table(), "__diesel_schema_migrations");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    kind: Kind,
    table: Cow<'static, str>,
    schemas: Vec<Cow<'static, str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlx,
    Diesel,
}

impl Ledger {
    /// The table of sqlx's migrator.
    #[must_use]
    pub const fn sqlx() -> Self {
        Self { kind: Kind::Sqlx, table: Cow::Borrowed("_sqlx_migrations"), schemas: Vec::new() }
    }

    /// The table of diesel's migrations.
    #[must_use]
    pub const fn diesel() -> Self {
        Self { kind: Kind::Diesel, table: Cow::Borrowed("__diesel_schema_migrations"), schemas: Vec::new() }
    }

    /// Records in another table, written as in SQL, with a schema and quotes as needed.
    #[must_use]
    pub fn with_table(mut self, table: impl Into<Cow<'static, str>>) -> Self {
        self.table = table.into();
        self
    }

    /// Creates a schema, written as in SQL, where it is missing.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.schemas.push(schema.into());
        self
    }

    /// Returns the table, as it is written in SQL.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Whether migrations that are applied and not given are none of a runner's business.
    pub(super) fn allows_missing(&self) -> bool {
        self.kind == Kind::Diesel
    }

    /// What makes the table, where it is missing.
    pub(super) fn create(&self) -> Vec<String> {
        let mut statements: Vec<String> =
            self.schemas.iter().map(|schema| format!("CREATE SCHEMA IF NOT EXISTS {schema}")).collect();
        let columns = match self.kind {
            Kind::Sqlx => {
                "version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), \
                 success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL"
            }
            Kind::Diesel => {
                "version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"
            }
        };
        statements.push(format!("CREATE TABLE IF NOT EXISTS {} ({columns})", self.table));
        statements
    }

    /// Asks for the table's full name, null where it is missing, so that it is found whatever a script does to the search path.
    pub(super) fn locate(&self) -> String {
        format!(
            "SELECT (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass({}))",
            literal(&self.table)
        )
    }

    /// Asks for what is recorded: version, checksum in hexadecimal, whether it ended, whether it began just now.
    pub(super) fn list(&self, table: &str) -> String {
        match self.kind {
            Kind::Sqlx => format!(
                "SELECT version, pg_catalog.encode(checksum, 'hex'), success, \
                 pg_catalog.now() - installed_on < interval '{JUST_NOW}' FROM {table}"
            ),
            Kind::Diesel => {
                format!("SELECT version, NULL, true, LOCALTIMESTAMP - run_on < interval '{JUST_NOW}' FROM {table}")
            }
        }
    }

    /// Records a migration, as ended or as begun.
    pub(super) fn record(&self, table: &str, migration: &Migration, ended: bool) -> Result<String, MigrateError> {
        let version = self.version(&migration.version, ended)?;
        Ok(match self.kind {
            Kind::Sqlx => format!(
                "INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES ({version}, {}, {ended}, \
                 '\\x{}', -1)",
                literal(&migration.description),
                hex(&migration.checksum)
            ),
            Kind::Diesel => format!("INSERT INTO {table} (version) VALUES ({version})"),
        })
    }

    /// Records that a migration which was recorded as begun has ended.
    pub(super) fn end(&self, table: &str, version: &Version) -> Result<String, MigrateError> {
        Ok(match self.kind {
            Kind::Sqlx => self.time(table, version, "installed_on")?,
            Kind::Diesel => {
                let [begun, ended] = [self.version(version, false)?, self.version(version, true)?];
                format!("UPDATE {table} SET version = {ended}, run_on = CURRENT_TIMESTAMP WHERE version = {begun}")
            }
        })
    }

    /// Notes how long a migration in this transaction has taken, where the table has a place for it.
    pub(super) fn note_time(&self, table: &str, version: &Version) -> Result<Option<String>, MigrateError> {
        match self.kind {
            Kind::Sqlx => self.time(table, version, "pg_catalog.now()").map(Some),
            Kind::Diesel => Ok(None),
        }
    }

    /// Records that a migration is being reverted outside a transaction.
    pub(super) fn reopen(&self, table: &str, version: &Version) -> Result<String, MigrateError> {
        let [begun, ended] = [self.version(version, false)?, self.version(version, true)?];
        Ok(match self.kind {
            Kind::Sqlx => format!("UPDATE {table} SET success = false WHERE version = {ended}"),
            Kind::Diesel => format!("UPDATE {table} SET version = {begun} WHERE version = {ended}"),
        })
    }

    /// Forgets a migration, ended or begun.
    pub(super) fn forget(&self, table: &str, version: &Version) -> Result<String, MigrateError> {
        let [begun, ended] = [self.version(version, false)?, self.version(version, true)?];
        Ok(format!("DELETE FROM {table} WHERE version IN ({ended}, {begun})"))
    }

    /// Fails with the SQLSTATE `code` unless the migration is recorded, or is not, as expected.
    pub(super) fn expect(
        &self,
        table: &str,
        version: &Version,
        recorded: bool,
        code: &str,
    ) -> Result<String, MigrateError> {
        let [begun, ended] = [self.version(version, false)?, self.version(version, true)?];
        let not = if recorded { "NOT " } else { "" };
        let body = format!(
            "BEGIN IF {not}EXISTS (SELECT 1 FROM {table} WHERE version IN ({ended}, {begun})) THEN \
             RAISE EXCEPTION 'another runner was here first' USING ERRCODE = '{code}'; END IF; END"
        );
        Ok(format!("DO{}", literal(&body)))
    }

    fn time(&self, table: &str, version: &Version, since: &str) -> Result<String, MigrateError> {
        Ok(format!(
            "UPDATE {table} SET success = true, execution_time = (extract(epoch from pg_catalog.clock_timestamp() - {since}) \
             * 1000000000)::pg_catalog.int8 WHERE version = {}",
            self.version(version, true)?
        ))
    }

    /// The version as the table has it, of a migration that has ended or has only begun.
    fn version(&self, version: &Version, ended: bool) -> Result<String, MigrateError> {
        match self.kind {
            // Another column says whether it has ended.
            Kind::Sqlx => version
                .as_number()
                .map(|number| number.to_string())
                .ok_or_else(|| MigrateError::NotANumber(version.clone())),
            Kind::Diesel if ended => Ok(literal(version.as_str())),
            Kind::Diesel => Ok(literal(&format!("{version}{BEGUN}"))),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
