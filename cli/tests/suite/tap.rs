//! Reports of Node's test runner, in the Test Anything Protocol.

use anyhow::{Context, Result, ensure};

/// Returns how many checks a report tells to have passed.
///
/// # Errors
///
/// When a check did anything else, or the report's sum is not that of its lines.
pub(crate) fn passed(report: &str) -> Result<usize> {
    let [tests, suites, pass] = ["tests", "suites", "pass"].map(|name| sum(report, name));
    let (tests, suites, pass) = (tests?, suites?, pass?);
    for name in ["fail", "cancelled", "skipped", "todo"] {
        let count = sum(report, name)?;
        ensure!(count == 0, "{count} checks are {name}");
    }
    ensure!(pass == tests, "{pass} of {tests} checks passed");
    let told = report.lines().filter(|line| line.trim_start().starts_with("ok ")).count();
    ensure!(told == tests + suites, "{tests} checks in {suites} suites are {told} lines");
    Ok(tests)
}

/// Returns what a report says of each check that failed, without the suites around them, nor the checks in a suite that
/// did not begin.
pub(crate) fn failures(report: &str) -> String {
    let around = ["failureType: 'subtestsFailed'", "failureType: 'cancelledByParent'"];
    let mut failures = String::new();
    let mut lines = report.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.trim_start().starts_with("not ok ") {
            continue;
        }
        let mut block = format!("{line}\n");
        // The block ends with three dots, and the next check begins without an end of this one.
        while let Some(line) = lines.next_if(|line| !line.trim_start().starts_with("not ok ")) {
            block.push_str(line);
            block.push('\n');
            if line.trim() == "..." {
                break;
            }
        }
        if !around.iter().any(|kind| block.contains(kind)) {
            failures.push_str(&block);
        }
    }
    failures
}

fn sum(report: &str, name: &str) -> Result<usize> {
    report
        .lines()
        .find_map(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(' '))
        .with_context(|| format!("the report has no sum of `{name}`: {report}"))?
        .parse()
        .with_context(|| format!("the report's sum of `{name}` is no number"))
}

const SUMS: &str = "# tests 2\n# suites 1\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0\n";

#[test]
fn a_report_that_holds_is_counted() -> Result<()> {
    ensure!(passed(&format!("    ok 1 - a\n    ok 2 - b\nok 1 - suite\n{SUMS}"))? == 2);
    Ok(())
}

#[test]
fn a_report_that_does_not_add_up_is_refused() {
    assert!(passed(SUMS).is_err());
    assert!(passed(&format!("    ok 1 - a\nok 1 - suite\n{SUMS}")).is_err());
    let skipped = SUMS.replace("skipped 0", "skipped 1");
    assert!(passed(&format!("    ok 1 - a\n    ok 2 - b # SKIP\nok 1 - suite\n{skipped}")).is_err());
    assert!(passed("").is_err());
}

#[test]
fn a_failure_is_told_with_its_reason() {
    let report = "    not ok 1 - a\n      ---\n      error: 'why'\n      ...\n    ok 2 - b\n\
                  not ok 1 - suite\n  ---\n  failureType: 'subtestsFailed'\n  ...\n";
    assert_eq!(failures(report), "    not ok 1 - a\n      ---\n      error: 'why'\n      ...\n");
}
