//! sqlx, unmodified, on HTTP until a statement needs a session; what WebSockets that takes is counted.

mod cancelling;
mod demotion;
mod many_tasks;
mod one_shots;
mod promotion;
mod results;
mod session_lost;
mod settings;
mod types_changed;
mod unopened;

use std::time::Duration;

use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use sqlx::{PgPool, postgres::PgPoolOptions};

use pgferry_test_support::{Proxy, Stage};

/// A stage on which the ways to the gateway are counted.
struct Counted {
    stage: Stage,
    http: Proxy,
    sockets: Proxy,
}

impl Counted {
    fn start() -> Self {
        let stage = Stage::start();
        let proxy = || Proxy::start(stage.gateway().address(), Duration::ZERO).unwrap();
        Self { http: proxy(), sockets: proxy(), stage }
    }

    fn config(&self) -> Config {
        let through = |url: &str, proxy: &Proxy| {
            url.replace(&self.stage.gateway().address().to_string(), &proxy.address().to_string())
        };
        self.stage
            .config()
            .transport(Transport::Auto)
            .http_url(through(self.stage.gateway().http_url(), &self.http))
            .ws_url(through(self.stage.gateway().ws_url(), &self.sockets))
    }

    async fn pool(&self) -> PgPool {
        self.pool_of(1).await
    }

    async fn pool_of(&self, connections: u32) -> PgPool {
        PgPoolOptions::new().max_connections(connections).connect_over(self.config()).await.unwrap()
    }

    /// How many WebSockets were opened so far.
    fn opened(&self) -> usize {
        self.sockets.connections()
    }

    /// How many sessions with this `application_name` the server has: requests over HTTP have it for an instant only.
    fn sessions(&self, application_name: &str) -> usize {
        let count = self.stage.psql(&format!(
            "select count(*) from pg_stat_activity where application_name = '{application_name}' and datname = '{}'",
            self.stage.database()
        ));
        count.parse().unwrap()
    }
}

/// The SQLSTATE and the message of an error of the server's, or of what stands for it.
fn told(error: &sqlx::Error) -> (String, String) {
    let error = error.as_database_error().unwrap_or_else(|| panic!("{error:?}"));
    (error.code().unwrap_or_default().into_owned(), error.message().to_owned())
}

async fn one(pool: &PgPool) -> i32 {
    sqlx::query_scalar("select $1::int4").bind(1).fetch_one(pool).await.unwrap()
}
