//! sqlx, unmodified, over both transports; plain TCP is the control.

mod auto;
mod batches;
mod canary;
mod cancellation;
mod cases;
mod cold_start;
mod dropped_lookups;
mod errors;
mod ferry;
#[cfg(unix)]
mod greeting;
mod life;
mod many_tables;
mod migrations;
mod pipelining;
mod preparing;
mod refusals;
mod role_settings;
mod round_trips;
mod search_path;
#[cfg(unix)]
mod socket;
mod statements;
mod strange_types;
mod two_runners;
mod type_lookups;
mod types_made_elsewhere;
mod user_types;
mod values;
mod wide_row;

use pgferry_sqlx::{Config, Transport};
use sqlx::PgPool;

use pgferry_test_support::Stage;

/// What a suite runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Road {
    /// sqlx's own connection: what the others are compared with.
    Tcp,
    Http,
    WebSocket,
    /// HTTP until a session is needed.
    Auto,
}

impl Road {
    const ALL: [Self; 4] = [Self::Tcp, Self::Http, Self::WebSocket, Self::Auto];
    const FERRIED: [Self; 3] = [Self::Http, Self::WebSocket, Self::Auto];
    /// Those on which a session outlives a statement.
    const SESSIONS: [Self; 3] = [Self::Tcp, Self::WebSocket, Self::Auto];

    async fn pool(self, stage: &Stage) -> PgPool {
        match self {
            Self::Tcp => PgPool::connect(&stage.postgres_url()).await.unwrap(),
            _ => pgferry_sqlx::pool(self.config(stage)).await.unwrap(),
        }
    }

    fn config(self, stage: &Stage) -> Config {
        stage.config().transport(match self {
            Self::Http => Transport::Http,
            Self::Auto => Transport::Auto,
            Self::Tcp | Self::WebSocket => Transport::WebSocket,
        })
    }
}

/// The stage's configuration with a transport.
fn over(stage: &Stage, transport: Transport) -> Config {
    stage.config().transport(transport)
}
