use pgferry::Config;

use crate::{gateway::TestGateway, postgres::Postgres};

/// A database for one test alone, and a gateway before it.
///
/// # Example
///
/// ```
/// use pgferry_test_support::Stage;
///
/// let stage = Stage::start();
/// assert_eq!(stage.psql("select current_database()"), stage.database());
/// ```
#[derive(Debug)]
pub struct Stage {
    postgres: &'static Postgres,
    database: String,
    gateway: TestGateway,
}

impl Stage {
    /// Creates a database on the server that the process's tests share, and starts a plain gateway.
    ///
    /// # Panics
    ///
    /// When that is impossible, with the reason.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::with(TestGateway::start)
    }

    /// Does as [`start`](Self::start) with a gateway of one's choice.
    ///
    /// # Panics
    ///
    /// When that is impossible, with the reason.
    #[must_use]
    #[track_caller]
    pub fn with(gateway: impl FnOnce(&Postgres) -> anyhow::Result<TestGateway>) -> Self {
        let make = || {
            let postgres = Postgres::shared()?;
            anyhow::Ok(Self { postgres, database: postgres.create_database()?, gateway: gateway(postgres)? })
        };
        make().unwrap_or_else(|error| panic!("the test has no stage: {error:#}"))
    }

    /// Returns the server, which other tests use too.
    #[must_use]
    pub fn postgres(&self) -> &'static Postgres {
        self.postgres
    }

    /// Returns the gateway.
    #[must_use]
    pub fn gateway(&self) -> &TestGateway {
        &self.gateway
    }

    /// Returns the database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Returns the password of the role `app`, which owns the database.
    #[must_use]
    pub fn password(&self) -> &'static str {
        self.postgres.password()
    }

    /// Returns the database's URL for clients that connect without pgferry.
    #[must_use]
    pub fn postgres_url(&self) -> String {
        self.postgres.database_url(&self.database)
    }

    /// Returns the database's URL for pgferry's clients, through the gateway.
    #[must_use]
    pub fn url(&self) -> String {
        self.gateway.ferry(&self.postgres_url())
    }

    /// Returns the configuration that [`url`](Self::url) stands for.
    ///
    /// # Panics
    ///
    /// When that URL is refused.
    #[must_use]
    #[track_caller]
    pub fn config(&self) -> Config {
        self.url().parse().unwrap_or_else(|error| panic!("the stage's own URL is refused: {error}"))
    }

    /// Runs statements as the superuser, and returns the rows: columns separated by `|`, rows by newlines.
    ///
    /// # Panics
    ///
    /// When one fails.
    #[track_caller]
    pub fn psql(&self, sql: &str) -> String {
        self.postgres.psql_in(&self.database, sql).unwrap_or_else(|error| panic!("{error:#}"))
    }
}
