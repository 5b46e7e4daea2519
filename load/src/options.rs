use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use pgferry_sqlx::Transport;

use crate::gateway;

/// Puts load on the gateway and on sqlx's pool, and prints what it does to them.
///
/// Four parts: `mixed`, HTTP clients and WebSocket sessions at once, with enough upstream connections and with too few; `cost`,
/// what `SELECT 1` over HTTP costs the gateway and Postgres, beside direct connections; `stream`, a response of many MiB, read
/// and unread; `soak`, an unmodified sqlx pool over each transport with statements, transactions and cancellations at random, whose
/// answers are checked.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// Seconds that each measurement of `mixed` and `soak` lasts; those of `cost` take a quarter of it
    #[arg(long, default_value_t = 60)]
    seconds: u64,

    /// HTTP clients, each with one request at a time
    #[arg(long, default_value_t = 100)]
    pub(crate) clients: usize,

    /// WebSocket sessions, each with one statement at a time
    #[arg(long, default_value_t = 100)]
    pub(crate) sessions: usize,

    /// Upstream connections of the gateway
    #[arg(long, default_value_t = 150)]
    pub(crate) connections: usize,

    /// Upstream connections in the second measurement of `mixed`, which are too few
    #[arg(long, default_value_t = 20)]
    pub(crate) few_connections: usize,

    /// HTTP clients and direct connections of `cost`
    #[arg(long, default_value_t = 16)]
    pub(crate) cost_clients: usize,

    /// MiB of the response of `stream`
    #[arg(long, default_value_t = 1024)]
    pub(crate) mib: u64,

    /// Runs only this part, one of mixed, cost, stream and soak; may be given again
    #[arg(long, value_name = "PART", value_parser = ["mixed", "cost", "stream", "soak"])]
    only: Vec<String>,

    /// Runs `soak` over this transport only, one of http, websocket and auto; may be given again
    #[arg(long, value_name = "TRANSPORT", default_values = ["http", "websocket", "auto"])]
    pub(crate) transport: Vec<Transport>,

    /// Takes this program's `gateway` command instead of the one built in
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves as the gateway that is measured
    #[command(hide = true)]
    Gateway(gateway::Arguments),
}

impl Options {
    pub(crate) fn runs(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds.max(1))
    }

    pub(crate) fn cost_duration(&self) -> Duration {
        Duration::from_secs((self.seconds / 4).max(1))
    }
}
