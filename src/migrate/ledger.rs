use std::borrow::Cow;

use super::{MigrateError, Migration, Version};

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

    /// Whether changed migrations and those begun outside a transaction can be told from the table.
    pub(super) fn keeps_checksums(&self) -> bool {
        self.kind == Kind::Sqlx
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

    /// Asks for what is recorded: version, checksum in hexadecimal, whether it ended.
    pub(super) fn list(&self, table: &str) -> String {
        match self.kind {
            Kind::Sqlx => format!("SELECT version, pg_catalog.encode(checksum, 'hex'), success FROM {table}"),
            Kind::Diesel => format!("SELECT version, NULL, true FROM {table}"),
        }
    }

    /// Records a migration, as ended or as begun.
    pub(super) fn record(&self, table: &str, migration: &Migration, ended: bool) -> Result<String, MigrateError> {
        let version = self.version(&migration.version)?;
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

    /// Notes that a migration has ended, and what time it took since `since`, an expression of a time.
    pub(super) fn ended(&self, table: &str, version: &Version, since: &str) -> Result<Option<String>, MigrateError> {
        let version = self.version(version)?;
        Ok((self.kind == Kind::Sqlx).then(|| {
            format!(
                "UPDATE {table} SET success = true, execution_time = (extract(epoch from pg_catalog.clock_timestamp() - {since}) \
                 * 1000000000)::pg_catalog.int8 WHERE version = {version}"
            )
        }))
    }

    /// Notes that a migration is being reverted outside a transaction.
    pub(super) fn reopen(&self, table: &str, version: &Version) -> Result<Option<String>, MigrateError> {
        let version = self.version(version)?;
        Ok((self.kind == Kind::Sqlx).then(|| format!("UPDATE {table} SET success = false WHERE version = {version}")))
    }

    /// Forgets a migration.
    pub(super) fn forget(&self, table: &str, version: &Version) -> Result<String, MigrateError> {
        Ok(format!("DELETE FROM {table} WHERE version = {}", self.version(version)?))
    }

    /// Fails with the SQLSTATE `code` unless the migration is recorded, or is not, as expected.
    pub(super) fn expect(
        &self,
        table: &str,
        version: &Version,
        recorded: bool,
        code: &str,
    ) -> Result<String, MigrateError> {
        let (version, not) = (self.version(version)?, if recorded { "NOT " } else { "" });
        let body = format!(
            "BEGIN IF {not}EXISTS (SELECT 1 FROM {table} WHERE version = {version}) THEN \
             RAISE EXCEPTION 'another runner was here first' USING ERRCODE = '{code}'; END IF; END"
        );
        Ok(format!("DO{}", literal(&body)))
    }

    fn version(&self, version: &Version) -> Result<String, MigrateError> {
        match self.kind {
            Kind::Sqlx => version
                .as_number()
                .map(|number| number.to_string())
                .ok_or_else(|| MigrateError::NotANumber(version.clone())),
            Kind::Diesel => Ok(literal(version.as_str())),
        }
    }
}

/// A string constant that means the same whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!(" E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
