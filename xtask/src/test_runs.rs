use std::fmt;

use anyhow::{Context, Result};

use crate::{
    command::{cargo, output, say, watched},
    javascript::install_driver,
    oracle,
};

/// A check that counts its tests.
type TestRun = (&'static str, fn(&mut Count) -> Result<()>);

pub(crate) const TEST_RUNS: &[TestRun] =
    &[("tests", tests), ("examples in documentation", documentation), ("oracle", oracle)];

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    passed: usize,
    failed: usize,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed } = self;
        write!(f, "{} tests ran: {passed} passed, {failed} failed", passed + failed)
    }
}

fn tests(count: &mut Count) -> Result<()> {
    install_driver()?;
    let nextest = output(&mut cargo(&["nextest", "--version"])).is_ok();
    if !nextest {
        say(
            "cargo-nextest is not installed: falling back to cargo test (`cargo install --locked cargo-nextest` is faster)",
        );
    }
    let runner: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
    // Not the benches, which measure instead of listing tests.
    let targets = ["--workspace", "--lib", "--bins", "--tests", "--examples", "--locked", "--no-fail-fast"];
    let arguments = [runner, &targets].concat();
    let (status, text) = watched(cargo(&arguments).env("CARGO_TERM_COLOR", "never"))?;
    count.add(counted(&text).context("the test runner does not say how many tests ran")?);
    status
}

fn documentation(count: &mut Count) -> Result<()> {
    let (status, text) = watched(
        cargo(&["test", "--workspace", "--doc", "--locked", "--no-fail-fast"]).env("CARGO_TERM_COLOR", "never"),
    )?;
    count.add(counted(&text).context("the test runner does not say how many tests ran")?);
    status
}

/// The same values each time, so that a failure is of what changed.
fn oracle(_: &mut Count) -> Result<()> {
    oracle::oracle(&["--values", "20000", "--seed", "1"])
}

/// Adds up the summaries of nextest (`Summary [ 1.6s] 4 tests run: 4 passed, 0 skipped`) or of cargo test (`test result: ok. 4
/// passed; 0 failed; …`).
fn counted(text: &str) -> Option<Count> {
    let summaries: Vec<&str> = text
        .lines()
        // nextest repeats the output of a failed test, the indented summary of its process included.
        .filter_map(|line| {
            let of_nextest =
                || line.trim_start().strip_prefix("Summary ")?.split_once(" run: ").map(|(_, counts)| counts);
            line.strip_prefix("test result: ").or_else(of_nextest)
        })
        .collect();
    if summaries.is_empty() {
        return None;
    }
    let mut count = Count::default();
    for summary in summaries {
        // `4 passed (1 slow), 2 failed, 1 timed out, 0 skipped`
        for part in summary.split([',', ';', '.']) {
            let mut words = part.split_whitespace();
            match (words.next().and_then(|number| number.parse::<usize>().ok()), words.next()) {
                (Some(number), Some("passed")) => count.passed += number,
                (Some(number), Some("failed" | "timed" | "exec")) => count.failed += number,
                _ => {}
            }
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn summaries_are_added_up() {
        let said = |text| counted(text).map(|count| count.to_string());
        assert_eq!(
            said("     Summary [   1.618s] 4 tests run: 4 passed (1 slow), 0 skipped\n").as_deref(),
            Some("4 tests ran: 4 passed, 0 failed")
        );
        assert_eq!(
            said("    test result: FAILED. 0 passed; 1 failed; 0 ignored\n     Summary [  19.316s] 3/5 tests run: 1 passed, 1 failed, 1 timed out, 0 skipped\n").as_deref(),
            Some("3 tests ran: 1 passed, 2 failed")
        );
        let cargo = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s\n\
                     test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s\n";
        assert_eq!(said(cargo).as_deref(), Some("6 tests ran: 4 passed, 2 failed"));
        assert_eq!(said("error: could not compile\n"), None);
    }
}
