//! PostgreSQL as the oracle: pgferry's values and typed statements against a server's own.

mod codec;
mod corpus;
mod grow;
mod report;
mod server;
mod statements;
mod tcp;
mod types;
mod values;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, ValueEnum};

use corpus::Corpus;
use report::{Mismatches, say};
use server::Server;

/// Compares pgferry's values and typed statements with PostgreSQL's own.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many values to compare on each server.
    #[arg(long, default_value_t = 100_000)]
    values: usize,
    /// What random values grow from; the same seed gives the same values.
    #[arg(long)]
    seed: Option<u64>,
    /// Which servers: the installed one, PostgreSQL 18, or both.
    #[arg(long, default_value = "all")]
    server: Servers,
    /// Writes samples of both forms of each type into this folder, for fuzzers, and compares no statements.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// The folder with PostgreSQL 18's programs.
    #[arg(long, required_if_eq_any = [("server", "18"), ("server", "all")])]
    programs_18: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Servers {
    /// The one that is installed.
    #[value(name = "15")]
    Installed,
    #[value(name = "18")]
    Newer,
    All,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    say(&format!("seed {seed}"));
    let installed = (arguments.server != Servers::Newer).then_some(None);
    let newer = arguments.programs_18.as_deref().filter(|_| arguments.server != Servers::Installed).map(Some);
    let corpus = arguments.corpus.clone().map(Corpus::new);
    let mut mismatches = Mismatches::default();
    for programs in installed.into_iter().chain(newer) {
        let server = Server::start(programs)?;
        let plan = values::Plan { values: arguments.values, seed };
        mismatches.merge(values::run(&server, plan, corpus.as_ref())?);
        if corpus.is_none() {
            mismatches.merge(statements::run(&server)?);
        }
    }
    mismatches.say();
    say(&format!("{} mismatches", mismatches.count()));
    Ok(mismatches.count() == 0)
}
