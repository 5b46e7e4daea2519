//! The pgferry command.

mod gateway;
mod logging;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Carries Postgres over HTTP and WebSocket.
#[derive(Parser)]
#[command(name = "pgferry", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Gateway(gateway::Gateway),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    logging::start();
    let done = match command {
        Command::Gateway(gateway) => gateway.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
