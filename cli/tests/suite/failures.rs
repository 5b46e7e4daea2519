//! What each road says when its gateway dies or freezes in the middle of a query, and how it goes on.

use std::{thread, time::Duration};

use anyhow::{Context, Result, ensure};
use diesel::{
    QueryResult, RunQueryDsl,
    r2d2::{ConnectionManager, Pool},
};
use pgferry_diesel::FerryConnection;
use pgferry_sqlx::{Config, Transport};
use pgferry_test_support::{GatewayProcess, Postgres};
use sqlx::PgPool;

use crate::PGFERRY;

/// How long a statement may take, where it has a deadline.
const DEADLINE: Duration = Duration::from_secs(3);

/// A sleep that is easy to find among the server's sessions.
const LONG: &str = "select 1 from pg_sleep(600)";

/// How the gateway is taken away while a query runs.
#[derive(Clone, Copy)]
enum Trouble {
    Killed,
    Frozen,
}

struct Scene {
    postgres: Postgres,
    gateway: GatewayProcess,
    trouble: Trouble,
}

impl Scene {
    fn open(trouble: Trouble) -> Result<Self> {
        let postgres = Postgres::start()?;
        let gateway = GatewayProcess::start(PGFERRY, &postgres, &[])?;
        Ok(Self { postgres, gateway, trouble })
    }

    fn config(&self, transport: Transport) -> Result<Config> {
        let config = self.gateway.ferry(&self.postgres.url()).parse::<Config>()?.transport(transport);
        Ok(match self.trouble {
            Trouble::Killed => config,
            Trouble::Frozen => config.request_timeout(Some(DEADLINE)),
        })
    }

    /// Waits until the server runs the query, then takes the gateway away.
    fn strike(&mut self) -> Result<()> {
        let running = format!(
            "select count(*) from pg_stat_activity where state = 'active' and query like '%{LONG}%' and pid <> pg_backend_pid()"
        );
        for _ in 0..600 {
            if self.postgres.psql(&running)?.trim() != "0" {
                return match self.trouble {
                    Trouble::Killed => self.gateway.kill(),
                    Trouble::Frozen => self.gateway.stop(),
                };
            }
            thread::sleep(Duration::from_millis(50));
        }
        anyhow::bail!("the query never ran")
    }

    fn mend(&mut self) -> Result<()> {
        match self.trouble {
            Trouble::Killed => self.gateway.restart(),
            Trouble::Frozen => self.gateway.resume(),
        }
    }
}

fn expect_unknown(message: &str) -> Result<()> {
    ensure!(message.contains("the statement may have run"), "the outcome is unknown, but the error is: {message}");
    Ok(())
}

fn with_sqlx(transport: Transport, trouble: Trouble) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut scene = Scene::open(trouble)?;
    let pool: PgPool = runtime.block_on(pgferry_sqlx::pool(scene.config(transport)?))?;
    let query = runtime.spawn({
        let pool = pool.clone();
        async move { sqlx::query(LONG).execute(&pool).await }
    });
    scene.strike()?;
    let error = runtime.block_on(query)?.err().context("the query succeeded")?;
    let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
    ensure!(code.as_deref() == Some("08007"), "{error:?}");
    expect_unknown(&error.to_string())?;
    scene.mend()?;
    let fresh: i32 = runtime.block_on(sqlx::query_scalar("select 1").fetch_one(&pool))?;
    ensure!(fresh == 1);
    Ok(())
}

fn with_diesel(transport: Transport, trouble: Trouble) -> Result<()> {
    let mut scene = Scene::open(trouble)?;
    // A manager knows URLs, and this one's transport and deadline are in it.
    let mut url = format!("{}&transport={transport}", scene.gateway.ferry(&scene.postgres.url()));
    if matches!(trouble, Trouble::Frozen) {
        url.push_str(&format!("&request_timeout={}", DEADLINE.as_secs()));
    }
    let pool = Pool::builder().max_size(1).build(ConnectionManager::<FerryConnection>::new(url))?;
    let query = thread::spawn({
        let pool = pool.clone();
        move || -> Result<QueryResult<usize>> { Ok(diesel::sql_query(LONG).execute(&mut *pool.get()?)) }
    });
    scene.strike()?;
    let error = query.join().ok().context("the query panicked")??.err().context("the query succeeded")?;
    expect_unknown(&error.to_string())?;
    scene.mend()?;
    diesel::sql_query("select 1").execute(&mut *pool.get()?)?;
    Ok(())
}

#[test]
fn sqlx_over_http_survives_a_killed_gateway() -> Result<()> {
    with_sqlx(Transport::Http, Trouble::Killed)
}

#[test]
fn sqlx_over_http_survives_a_frozen_gateway() -> Result<()> {
    with_sqlx(Transport::Http, Trouble::Frozen)
}

#[test]
fn sqlx_over_websocket_survives_a_killed_gateway() -> Result<()> {
    with_sqlx(Transport::WebSocket, Trouble::Killed)
}

#[test]
fn sqlx_over_websocket_survives_a_frozen_gateway() -> Result<()> {
    with_sqlx(Transport::WebSocket, Trouble::Frozen)
}

#[test]
fn diesel_over_http_survives_a_killed_gateway() -> Result<()> {
    with_diesel(Transport::Http, Trouble::Killed)
}

#[test]
fn diesel_over_http_survives_a_frozen_gateway() -> Result<()> {
    with_diesel(Transport::Http, Trouble::Frozen)
}

#[test]
fn diesel_over_websocket_survives_a_killed_gateway() -> Result<()> {
    with_diesel(Transport::WebSocket, Trouble::Killed)
}

#[test]
fn diesel_over_websocket_survives_a_frozen_gateway() -> Result<()> {
    with_diesel(Transport::WebSocket, Trouble::Frozen)
}
