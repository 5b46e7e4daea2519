//! Load on the gateway and on sqlx's pool, and what a request costs: `cargo xtask load`.
//!
//! A real PostgreSQL and a gateway run as processes of their own, so that their memory and their CPU time are theirs alone.

mod check;
mod clients;
mod cost;
mod gateway;
mod latencies;
mod mixed;
mod options;
mod process;
mod say;
mod soak;
mod stage;
mod streamed;

use std::process::ExitCode;

use clap::Parser;

use options::{Command, Options};
use say::{complain, say};

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.command {
        Some(Command::Gateway(arguments)) => gateway::serve(arguments),
        None => load(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs each part, also behind one that failed, so that one run tells everything.
#[tokio::main]
async fn load(options: &Options) -> anyhow::Result<()> {
    let mut checks = check::Checks::default();
    if options.runs("mixed") {
        mixed::run(options, options.connections, &mut checks).await?;
        mixed::run(options, options.few_connections, &mut checks).await?;
    }
    if options.runs("cost") {
        cost::run(options, &mut checks).await?;
    }
    if options.runs("stream") {
        streamed::run(options, &mut checks).await?;
    }
    if options.runs("soak") {
        soak::run(options, &mut checks).await?;
    }
    say("");
    checks.finish()
}
