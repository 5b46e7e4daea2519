//! The embedded PostgreSQL as sqlx sees it, directly and through the gateway.

mod isolation;
mod life;
mod turns;

use std::time::Duration;

use anyhow::Result;
use pgferry_embedded::{Embedded, Options};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

/// How long a session waits for its turn where a test wants it to wait in vain.
const SHORT: Duration = Duration::from_millis(300);

fn start() -> Result<Embedded> {
    Embedded::start(Options::new())
}

fn start_impatient() -> Result<Embedded> {
    Embedded::start(Options::new().queue_timeout(SHORT))
}

fn options(server: &Embedded) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(server.address().port())
        .username(server.user())
        .password(server.password())
        .database(server.database())
        // Which it declines.
        .ssl_mode(PgSslMode::Prefer)
}

async fn connect(server: &Embedded) -> Result<PgConnection> {
    Ok(PgConnection::connect_with(&options(server)).await?)
}

/// The text of one value.
async fn text(connection: &mut PgConnection, query: &'static str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(query).fetch_one(connection).await
}

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned()
}
