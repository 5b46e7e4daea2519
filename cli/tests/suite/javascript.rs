//! The official JavaScript driver, with its default settings but for the endpoint.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use pgferry_test_support::{GatewayProcess, Postgres};

use crate::PGFERRY;

fn the_driver_passes(ws_auth: &str) -> Result<()> {
    // Asked when it runs, not when it was compiled: checkouts can share a target directory.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("this test is started by cargo")?;
    let tests = Path::new(&package).join("../tests/js").canonicalize()?;
    ensure!(
        tests.join("node_modules").is_dir(),
        "the JavaScript driver is not installed: run `npm ci` in tests/js, or all tests by `cargo xtask test`"
    );
    let postgres = Postgres::start()?;
    let gateway = GatewayProcess::start(PGFERRY, &postgres, &["--ws-auth", ws_auth])?;
    let output = Command::new("node")
        .args(["--test", "--test-reporter=tap"])
        .current_dir(&tests)
        .env("DATABASE_URL", postgres.url())
        .env("HTTP_URL", gateway.http_url())
        .env("WS_URL", gateway.ws_url())
        .env("WS_AUTH", ws_auth)
        .output()
        .context("Node.js cannot be started: install it (`apt install nodejs npm`, `dnf install nodejs`, `brew install node`)")?;
    let report = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    // A runner that finds no test succeeds as well.
    ensure!(report.contains("# Subtest: over HTTP") && report.contains("# Subtest: over WebSocket"), "{report}");
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
