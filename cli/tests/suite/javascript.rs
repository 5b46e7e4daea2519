//! The official JavaScript driver with its default settings but for the endpoint, and what others have built on it.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use pgferry_test_support::{GatewayProcess, Postgres};

use crate::{PGFERRY, tap};

/// The page that the gateway lets in, where the others are refused.
const ORIGIN: &str = "https://app.example";

/// How many checks there are at least: a runner that finds none succeeds as well.
const LEAST_CHECKS: usize = 150;

fn the_driver_passes(ws_auth: &str) -> Result<()> {
    // Asked when it runs, not when it was compiled: checkouts can share a target directory.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("this test is started by cargo")?;
    let tests = Path::new(&package).join("../tests/js").canonicalize()?;
    ensure!(
        tests.join("node_modules").is_dir(),
        "the JavaScript driver is not installed: run `npm ci` in tests/js, or all tests by `cargo xtask test`"
    );
    let postgres = Postgres::start()?;
    let gateway = GatewayProcess::start(PGFERRY, &postgres, &["--ws-auth", ws_auth, "--allow-origin", ORIGIN])?;
    let output = Command::new("node")
        // A check that hangs is told by its name.
        .args(["--test", "--test-reporter=tap", "--test-timeout=60000"])
        .current_dir(&tests)
        .env("DATABASE_URL", postgres.url())
        .env("HTTP_URL", gateway.http_url())
        .env("WS_URL", gateway.ws_url())
        .env("WS_AUTH", ws_auth)
        .env("ORIGIN", ORIGIN)
        .output()
        .context("Node.js cannot be started: install it (`apt install nodejs npm`, `dnf install nodejs`, `brew install node`)")?;
    let report = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let failures = tap::failures(&report);
    ensure!(failures.is_empty(), "{failures}\n{errors}");
    ensure!(output.status.success(), "{report}\n{errors}");
    let checks = tap::passed(&report)?;
    ensure!(checks >= LEAST_CHECKS, "there are {checks} checks alone, and {LEAST_CHECKS} or more were expected");
    Ok(())
}

#[test]
fn the_driver_passes_where_the_gateway_asks_for_the_password() -> Result<()> {
    the_driver_passes("cleartext")
}

#[test]
fn the_driver_passes_where_the_servers_scram_is_relayed() -> Result<()> {
    the_driver_passes("relay")
}
