//! The embedded PostgreSQL as sqlx sees it, directly and through the gateway.

mod endings;
mod isolation;
mod killed;
mod life;
mod messages;
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

/// Options whose engine runs in the crate's own program, since that of the tests has another `main`.
fn elsewhere() -> Options {
    Options::new().program(env!("CARGO_BIN_EXE_pgferry-embedded"))
}

fn start() -> Result<Embedded> {
    Embedded::start(elsewhere())
}

fn start_impatient() -> Result<Embedded> {
    Embedded::start(elsewhere().queue_timeout(SHORT))
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
