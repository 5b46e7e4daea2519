//! The tables and types of the soak, and what Rust calls them.

use anyhow::Result;
use pgferry_test_support::Postgres;

/// Made by the superuser, used by the role `app`.
const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('low', 'fair', 'high');
    CREATE TYPE place AS (x float8, name text);
    CREATE TABLE account (task int PRIMARY KEY, balance bigint NOT NULL);
    CREATE TABLE entry (task int NOT NULL, number bigint NOT NULL, PRIMARY KEY (task, number));
    CREATE TABLE attempt (task int NOT NULL, number bigint NOT NULL, PRIMARY KEY (task, number));
    GRANT ALL ON account, entry, attempt TO app;
";

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
pub(super) enum Mood {
    Low,
    Fair,
    High,
}

impl Mood {
    pub(super) const ALL: [Self; 3] = [Self::Low, Self::Fair, Self::High];
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "place")]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) name: String,
}

/// Makes everything anew.
pub(super) fn create(postgres: &Postgres, tasks: i32) -> Result<()> {
    postgres.psql_in("app", SCHEMA)?;
    postgres.psql_in("app", &format!("INSERT INTO account SELECT n, 0 FROM generate_series(1, {tasks}) n"))?;
    Ok(())
}
