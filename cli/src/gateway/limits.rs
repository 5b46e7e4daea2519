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

    /// How long after its log-in a connection is given to requests over HTTP, in seconds: for so long a password that was changed, or
    /// a role that may log in no more, is still honoured; 0 logs in for every request [default: 60]
    #[arg(long, value_name = "SECONDS")]
    max_lifetime: Option<u32>,

    /// How long a client may keep silent in a request, or take nothing of its answer or results, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(1..))]
    client_timeout: Option<u32>,

    /// Connections of clients at once; more wait [default: 10000]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    max_clients: Option<u32>,

    /// Memory for requests while they are read and taken apart, all together, in MiB [default: 256]
    #[arg(long, value_name = "MIB", value_parser = value_parser!(u32).range(1..))]
    max_request_memory: Option<u32>,

    /// The largest body of a request, in MiB [default: 64]
    #[arg(long, value_name = "MIB", value_parser = value_parser!(u32).range(1..))]
    max_request_size: Option<u32>,

    /// The largest body of a response over HTTP, in MiB [default: 64]
    #[arg(long, value_name = "MIB", value_parser = value_parser!(u32).range(1..))]
    max_response_size: Option<u32>,
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
        if let Some(seconds) = self.max_lifetime {
            config = config.max_lifetime(Duration::from_secs(seconds.into()));
        }
        if let Some(seconds) = self.client_timeout {
            config = config.client_timeout(Duration::from_secs(seconds.into()));
        }
        if let Some(count) = self.max_clients {
            config = config.max_clients(to_usize(count));
        }
        if let Some(mib) = self.max_request_memory {
            config = config.max_request_memory(to_bytes(mib));
        }
        if let Some(mib) = self.max_request_size {
            config = config.max_request_size(to_bytes(mib));
        }
        if let Some(mib) = self.max_response_size {
            config = config.max_response_size(to_bytes(mib));
        }
        config
    }
}

fn to_bytes(mib: u32) -> usize {
    to_usize(mib).saturating_mul(1024 * 1024)
}

fn to_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
