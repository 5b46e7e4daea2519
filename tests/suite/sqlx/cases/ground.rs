use std::sync::Arc;

use pgferry_sqlx::Guard;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::sqlx::Road;
use pgferry_test_support::Stage;

/// A database of its own and the way to it: all that a case is given.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// How the road's connections are opened.
    options: PgConnectOptions,
    /// How one connects past the road, to prepare and to look.
    control: PgConnectOptions,
    /// Keeps the bridge.
    _guard: Option<Arc<Guard>>,
}

impl Ground {
    pub(super) fn new(road: Road, stage: &Stage, database: &str) -> Self {
        let control: PgConnectOptions = stage.postgres().database_url(database).parse().unwrap();
        let (options, guard) = match road {
            Road::Tcp => (control.clone(), None),
            ferried => {
                let (options, guard) = pgferry_sqlx::connect_options(ferried.config(stage).dbname(database)).unwrap();
                (options, Some(Arc::new(guard)))
            }
        };
        Self { options, control, _guard: guard }
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    pub(super) async fn pool(&self) -> sqlx::Result<PgPool> {
        self.pool_with(PgPoolOptions::new()).await
    }

    /// Opens a pool of a single connection, so that what a connection keeps can be seen.
    pub(super) async fn single(&self) -> sqlx::Result<PgPool> {
        self.pool_with(PgPoolOptions::new().max_connections(1)).await
    }

    pub(super) async fn pool_with(&self, options: PgPoolOptions) -> sqlx::Result<PgPool> {
        options.connect_with(self.options()).await
    }

    pub(super) async fn connection(&self) -> sqlx::Result<PgConnection> {
        PgConnection::connect_with(&self.options).await
    }

    /// Returns how one connects past the road.
    pub(super) fn past(&self) -> PgConnectOptions {
        self.control.clone()
    }

    /// Opens a connection that never takes the road.
    pub(super) async fn control(&self) -> PgConnection {
        PgConnection::connect_with(&self.control).await.unwrap()
    }

    /// Runs a script past the road.
    pub(super) async fn prepare(&self, script: &'static str) {
        sqlx::raw_sql(script).execute(&mut self.control().await).await.unwrap();
    }
}
