use anyhow::Result;

use crate::{
    Check,
    command::{cargo, run},
};

/// What needs no test to run.
pub(crate) const CHECKS: &[Check] = &[
    ("format", format),
    ("lints", lints),
    ("documentation", documentation),
    ("core without features", no_features),
    ("fuzz targets", fuzz_targets),
];

fn format() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))
}

fn lints() -> Result<()> {
    run(&mut cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

fn documentation() -> Result<()> {
    run(cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// The core without features has no I/O, and so the compiler keeps `codec`, `sql` and `http::wire` free of it.
fn no_features() -> Result<()> {
    run(&mut cargo(&[
        "clippy",
        "--quiet",
        "-p",
        "pgferry",
        "--lib",
        "--no-default-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

/// The fuzz targets are a workspace of their own. They are checked, not linked, so libFuzzer need not be there: naming a place
/// for it keeps its build script from compiling it.
fn fuzz_targets() -> Result<()> {
    run(cargo(&["check", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--locked"])
        .env("CUSTOM_LIBFUZZER_PATH", "/nonexistent/libfuzzer.a"))
}
