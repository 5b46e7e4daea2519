//! sqlx's pool when the other side is lost: its gateway is killed or stopped, the way to it is cut in silence, or closed.

mod idle;
mod running;
mod stage;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use self::stage::Stage;

/// What happens to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Its process dies, and the system closes its connections.
    Killed,
    /// Its process is frozen: its connections stay open and nobody answers.
    Stopped,
    /// Nothing arrives in either direction, and nobody is told.
    Cut,
    /// The connections are closed by something on the way.
    Closed,
}

/// The limit of a statement in these tests.
const LIMIT: Duration = Duration::from_secs(2);

/// Far more than anything here may take that does not wait for ever.
const PATIENCE: Duration = Duration::from_secs(40);

/// SQLSTATEs of connections that were lost: of class 08, and those by which servers say goodbye.
fn is_of_a_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        sqlx::Error::Io(_) => true,
        _ => false,
    }
}

/// Waits for a result that must come, and an error that must tell of a lost connection.
async fn expect_lost<T>(what: &str, future: impl Future<Output = sqlx::Result<T>>) -> Result<sqlx::Error> {
    let began = Instant::now();
    let ended = tokio::time::timeout(PATIENCE, future).await?;
    let Err(error) = ended else { anyhow::bail!("{what} succeeded over a lost connection") };
    ensure!(is_of_a_lost_connection(&error), "{what}: {error:?}");
    ensure!(began.elapsed() < PATIENCE, "{what} took {:?}", began.elapsed());
    Ok(error)
}

/// The code that says that a statement may have run, whatever is told.
fn is_unknown(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("08007"))
}
