use std::path::Path;

use anyhow::{Context, Result};
use pgferry::{Config, execute::BlockingSession};
use pgferry_test_support::{Postgres, TestGateway};

use crate::tcp::Connection;

const DATABASE: &str = "oracle";
pub(crate) const SUPERUSER: &str = "postgres";

/// A server with the oracle's schema, and a gateway before it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) version: String,
    postgres: Postgres,
    gateway: TestGateway,
}

impl Server {
    /// Starts the installed server, or the one whose programs are in a directory.
    pub(crate) fn start(programs: Option<&Path>) -> Result<Self> {
        let mut builder = Postgres::builder().hba("host all all 127.0.0.1/32 trust").setting("work_mem", "64MB");
        if let Some(programs) = programs {
            builder = builder.programs(programs);
        }
        let postgres = builder.start()?;
        let gateway = TestGateway::start(&postgres)?;
        postgres.psql_in("postgres", &format!("create database {DATABASE}"))?;
        let mut server = Self { version: String::new(), postgres, gateway };
        let mut connection = server.connect()?;
        for script in
            [include_str!("schema/types.sql"), include_str!("schema/extensions.sql"), include_str!("schema/stage.sql")]
        {
            connection.script(script).context("the schema cannot be made")?;
        }
        let version = connection.script("show server_version")?;
        server.version = version.into_iter().flatten().flatten().next().context("the server tells no version")?;
        Ok(server)
    }

    /// Returns the number before the dot.
    pub(crate) fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
    }

    /// Opens the control's connection, as the superuser.
    pub(crate) fn connect(&self) -> Result<Connection> {
        self.connect_as(SUPERUSER)
    }

    pub(crate) fn connect_as(&self, user: &str) -> Result<Connection> {
        Connection::open(self.postgres.port(), user, DATABASE)
    }

    /// Opens what is compared with the control.
    pub(crate) fn ferry_as(&self, user: &str) -> Result<BlockingSession> {
        let url = self.postgres.url_for(user, self.postgres.superuser_password(), DATABASE);
        let config: Config = format!("{}&transport=http", self.gateway.ferry(&url)).parse()?;
        Ok(BlockingSession::connect(&config)?)
    }
}
