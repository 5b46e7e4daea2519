use std::time::Duration;

use anyhow::{Context, Result};
use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use pgferry_test_support::{GatewayProcess, Postgres, Proxy};
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::{LIMIT, Loss};
use crate::PGFERRY;

/// A database, a gateway that is a process of its own, and a proxy before it.
pub(super) struct Stage {
    pub(super) postgres: &'static Postgres,
    pub(super) database: String,
    gateway: GatewayProcess,
    proxy: Proxy,
}

impl Stage {
    pub(super) fn start() -> Result<Self> {
        let postgres = Postgres::shared()?;
        let database = postgres.create_database()?;
        let gateway = GatewayProcess::start(PGFERRY, postgres, &[])?;
        let address = gateway.http_url().strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let proxy = Proxy::start(address.context("no address")?.parse()?, Duration::ZERO)?;
        Ok(Self { postgres, database, gateway, proxy })
    }

    /// A configuration with a limit for each statement.
    pub(super) fn config(&self, transport: Transport) -> Result<Config> {
        let config: Config = self.gateway.ferry(&self.postgres.database_url(&self.database)).parse()?;
        let through = |url: &str| -> Result<String> {
            let (scheme, rest) = url.split_once("://").context("no URL")?;
            let (_, path) = rest.split_once('/').context("no path")?;
            Ok(format!("{scheme}://{}/{path}", self.proxy.address()))
        };
        let config = config.http_url(through(self.gateway.http_url())?).ws_url(through(self.gateway.ws_url())?);
        Ok(config.transport(transport).request_timeout(Some(LIMIT)))
    }

    /// A pool of a single connection, which is open.
    pub(super) async fn pool(&self, transport: Transport) -> Result<PgPool> {
        Ok(PgPoolOptions::new().max_connections(1).connect_over(self.config(transport)?).await?)
    }

    pub(super) fn psql(&self, sql: &str) -> Result<String> {
        self.postgres.psql_in(&self.database, sql)
    }

    pub(super) fn lose(&mut self, loss: Loss) -> Result<()> {
        match loss {
            Loss::Killed => self.gateway.kill()?,
            Loss::Stopped => self.gateway.stop()?,
            Loss::Cut => self.proxy.cut(),
            Loss::Closed => self.proxy.close(),
        }
        Ok(())
    }

    /// Lets new connections be served; what was lost stays lost, unless it was only frozen.
    pub(super) fn recover(&mut self, loss: Loss) -> Result<()> {
        match loss {
            Loss::Killed => self.gateway.restart()?,
            Loss::Stopped => self.gateway.resume()?,
            Loss::Cut => self.proxy.mend(),
            Loss::Closed => {}
        }
        Ok(())
    }
}
