//! What a user of the core does not get.

use anyhow::{Result, ensure};

use crate::{
    Check,
    command::{cargo, output},
};

pub(crate) const CHECKS: &[Check] = &[("dependencies of the core", core), ("dependencies of the codec", codec)];

fn core() -> Result<()> {
    let crates = dependencies(&[])?;
    expect_none(&crates, &["axum", "clap", "sqlx", "sqlx-core", "diesel", "native-tls", "openssl", "openssl-sys"])?;
    let providers: Vec<_> =
        ["ring", "aws-lc-rs"].into_iter().filter(|provider| crates.iter().any(|name| name == provider)).collect();
    ensure!(providers == ["ring"], "the core's TLS provider by default is ring alone, and not {providers:?}");
    let crates = dependencies(&["--no-default-features", "--features", "client,aws-lc-rs"])?;
    expect_none(&crates, &["ring"])
}

fn codec() -> Result<()> {
    expect_none(&dependencies(&["--no-default-features"])?, &["tokio", "mio", "hyper", "reqwest", "rustls"])
}

fn dependencies(features: &[&str]) -> Result<Vec<String>> {
    let arguments = ["tree", "--locked", "-p", "pgferry", "-e", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = output(cargo(&arguments).args(features))?;
    let crates: Vec<String> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    ensure!(crates.first().is_some_and(|name| name == "pgferry"), "the tree of dependencies has another form: {tree}");
    Ok(crates)
}

fn expect_none(crates: &[String], unwanted: &[&str]) -> Result<()> {
    let found: Vec<_> = unwanted.iter().filter(|name| crates.iter().any(|crate_name| crate_name == *name)).collect();
    ensure!(
        found.is_empty(),
        "pgferry must not depend on {found:?}: `cargo tree -p pgferry -e normal -i <crate>` shows who asks for it"
    );
    Ok(())
}
