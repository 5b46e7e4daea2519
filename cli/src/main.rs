//! The pgferry command.

mod argv;
mod bridge;
mod completions;
mod database;
mod dotenv;
mod gateway;
mod interruption;
mod logging;
mod migrate;
mod mistake;
mod ping;
mod problem;
mod query;

use std::{ffi::OsString, process::ExitCode};

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
    Gateway(Box<gateway::Gateway>),
    Bridge(bridge::Bridge),
    Query(Box<query::Query>),
    Ping(ping::Ping),
    Migrate(migrate::Migrate),
    Completions(completions::Completions),
}

fn main() -> ExitCode {
    #[cfg(feature = "embedded")]
    if let Some(ended) = pgferry_embedded::engine() {
        return ended;
    }
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    let args: Vec<OsString> = argv::given();
    let Cli { command } = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) if mistake::repeats_a_url(&error.render().to_string(), args) => {
            let command = "a URL stands where none is known: see pgferry help and the command's own --help";
            return problem::report(&problem::Usage(command.into()).into());
        }
        Err(error) => error.exit(),
    };
    logging::start();
    let done = match command {
        Command::Gateway(gateway) => gateway.run().await,
        Command::Bridge(bridge) => bridge.run().await,
        Command::Ping(ping) => ping.run().await,
        Command::Query(query) => query.run().await,
        Command::Migrate(migrate) => migrate.run().await,
        Command::Completions(completions) => completions.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => problem::report(&error),
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
