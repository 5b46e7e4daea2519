//! The pgferry command.

mod gateway;
mod logging;
mod mistake;

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
    let Cli { command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if mistake::repeats_a_url(&error.render().to_string(), std::env::args_os()) => {
            logging::complain(&anyhow::anyhow!("a URL stands where none is known: see pgferry gateway --help"));
            return ExitCode::from(mistake::EXIT_CODE);
        }
        Err(error) => error.exit(),
    };
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
