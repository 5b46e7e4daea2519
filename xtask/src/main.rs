//! The project's own checks, as commands: `cargo xtask test`.

mod command;
mod javascript;
mod lints;
mod load;
mod messages;
mod oracle;
mod test_runs;
mod tree;

use std::{env, path::Path, process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail};

use command::say;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  test    Runs every check: format, lints, documentation, features, dependencies, tests, examples in documentation
  lint    Runs those that compile no test: format, lints, documentation, features, dependencies
  oracle  Compares values and typed statements with PostgreSQL's own; `oracle --help` names its options
  load    Puts load on the gateway and prints what it costs; `load --help` names its options";

/// A check by its name.
type Check = (&'static str, fn() -> Result<()>);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => run(true),
        ["lint"] => run(false),
        ["oracle", arguments @ ..] => enter_workspace().and_then(|()| oracle::oracle(arguments)),
        ["load", arguments @ ..] => enter_workspace().and_then(|()| load::load(arguments)),
        ["--help" | "-h" | "help"] => {
            say(USAGE);
            Ok(())
        }
        _ => Err(anyhow::anyhow!("{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            command::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs all checks, also behind one that failed, so that one run tells everything.
fn run(with_tests: bool) -> Result<()> {
    enter_workspace()?;
    let started = Instant::now();
    let mut failed = Vec::new();
    let mut count = test_runs::Count::default();
    for (name, check) in lints::CHECKS.iter().chain(tree::CHECKS).chain(messages::CHECKS) {
        say(&format!("== {name}"));
        if let Err(error) = check() {
            command::complain(&format!("{error:#}"));
            failed.push(*name);
        }
    }
    if with_tests {
        for (name, check) in test_runs::TEST_RUNS {
            say(&format!("== {name}"));
            if let Err(error) = check(&mut count) {
                command::complain(&format!("{error:#}"));
                failed.push(*name);
            }
        }
        say(&format!("\n{count} in {} seconds", started.elapsed().as_secs()));
    }
    if failed.is_empty() {
        say("all checks passed");
        return Ok(());
    }
    bail!("failed: {}", failed.join(", "))
}

/// Wherever it is called from, paths are the workspace's.
fn enter_workspace() -> Result<()> {
    // Asked when it runs, not when it was compiled: checkouts that share a target directory share this program.
    let xtask = env::var_os("CARGO_MANIFEST_DIR").context("this program is started by cargo: `cargo xtask`")?;
    Ok(env::set_current_dir(Path::new(&xtask).join(".."))?)
}
