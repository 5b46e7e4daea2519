use std::time::Duration;

use clap::{Args, value_parser};
use pgferry_gateway::GatewayConfig;

/// How much of Postgres and of this machine callers may use.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// Connections to Postgres at once, HTTP and WebSocket together; sessions over WebSocket may have three quarters [default: 80]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    max_connections: Option<u32>,

    /// Connections to Postgres that one role may have of them [default: no limit]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    max_connections_per_role: Option<u32>,

    /// How long a request or a session waits for a connection to come free, in seconds [default: 30]
    #[arg(long, value_name = "SECONDS")]
    queue_timeout: Option<u32>,
}

impl Limits {
    pub(super) fn apply(&self, mut config: GatewayConfig) -> GatewayConfig {
        if let Some(count) = self.max_connections {
            config = config.max_connections(to_usize(count));
        }
        if let Some(count) = self.max_connections_per_role {
            config = config.max_connections_per_role(to_usize(count));
        }
        if let Some(seconds) = self.queue_timeout {
            config = config.queue_timeout(Duration::from_secs(seconds.into()));
        }
        config
    }
}

fn to_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
