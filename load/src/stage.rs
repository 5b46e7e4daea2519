use std::{env, fs};

use anyhow::{Context, Result};
use pgferry_test_support::{GatewayProcess, Postgres};

use crate::{options::Options, process::Process};

/// How many seconds a request or session waits for a connection: less than the shortest measurement.
const QUEUE_TIMEOUT: &str = "5";

/// A PostgreSQL and a gateway before it.
pub(crate) struct Stage {
    pub(crate) gateway: GatewayProcess,
    pub(crate) postgres: Postgres,
}

impl Stage {
    /// Starts both; the server takes some more connections than the gateway opens.
    pub(crate) fn start(options: &Options, connections: usize, max_response_size: u64) -> Result<Self> {
        Self::start_with(options, connections, max_response_size, &[])
    }

    /// As [`start`](Self::start), with further arguments of the gateway.
    pub(crate) fn start_with(
        options: &Options,
        connections: usize,
        max_response_size: u64,
        more: &[&str],
    ) -> Result<Self> {
        let most = connections.max(options.cost_clients) + 20;
        let postgres = Postgres::builder().setting("max_connections", most.to_string()).start()?;
        let program = options.program.clone().map_or_else(env::current_exe, Ok)?;
        let [connections, max_response_size] = [connections.to_string(), max_response_size.to_string()];
        let arguments = [
            "--max-connections",
            &connections,
            "--queue-timeout",
            QUEUE_TIMEOUT,
            "--max-response-size",
            &max_response_size,
        ];
        let arguments = [&arguments[..], more].concat();
        let gateway = GatewayProcess::start(program, &postgres, &arguments)?;
        Ok(Self { gateway, postgres })
    }

    pub(crate) fn gateway_process(&self) -> Process {
        Process::new(self.gateway.id())
    }

    pub(crate) fn postgres_process(&self) -> Result<Process> {
        let file = fs::read_to_string(self.postgres.socket_dir().join("data/postmaster.pid"))?;
        let id = file.lines().next().context("postmaster.pid is empty")?;
        Ok(Process::new(id.trim().parse()?))
    }
}
