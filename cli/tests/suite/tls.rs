//! `pgferry gateway` with a certificate.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use pgferry_sqlx::{Config, Transport};
use pgferry_test_support::{GatewayProcess, Postgres};

use crate::PGFERRY;

#[tokio::test]
async fn a_self_signed_certificate_comes_with_the_url() -> Result<()> {
    let postgres = Postgres::shared()?;
    for flag in ["--tls-self-signed".to_owned(), format!("--tls-self-signed={}", file("pgferry-cli-tls")?)] {
        let gateway = GatewayProcess::start(PGFERRY, postgres, &[&flag])?;
        ensure!(gateway.http_url().starts_with("https://localhost:"), "{}", gateway.http_url());
        for transport in [Transport::Http, Transport::WebSocket] {
            let config = gateway.database_url().parse::<Config>()?.password(postgres.password()).transport(transport);
            let pool = pgferry_sqlx::pool(config).await?;
            let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
            ensure!(one == 1);
            pool.close().await;
        }
    }
    fs::remove_file(file("pgferry-cli-tls")?)?;
    Ok(())
}

#[test]
fn wrong_files_are_told_of() -> Result<()> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (args, words) in [
        (&["--tls-cert", manifest, "--tls-key", manifest][..], "no certificate"),
        (&["--tls-cert", "/nowhere/cert.pem", "--tls-key", manifest], "/nowhere/cert.pem"),
        (&["--tls-cert", "/nowhere/cert.pem", "--tls-key", manifest], "--tls-cert"),
        (&["--tls-cert", manifest, "--tls-key", "/nowhere/key.pem"], "--tls-key: /nowhere/key.pem"),
        (&["--tls-cert", manifest], "--tls-key"),
        (&["--tls-self-signed", "--tls-cert", manifest, "--tls-key", manifest], "cannot be used with"),
        (&["--allow-address", "nonsense"], "host:port"),
    ] {
        let mut command = Command::new(PGFERRY);
        command.args(["gateway", "--upstream", "postgresql://localhost/db", "--listen", "127.0.0.1:0"]).args(args);
        let output = command.stdin(Stdio::null()).output()?;
        let err = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success() && output.stdout.is_empty(), "{args:?}");
        ensure!(err.contains(words), "{args:?}: {err}");
    }
    Ok(())
}

/// A file in the build's own directory for such things.
fn file(name: &str) -> Result<String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Ok(directory.join(format!("{name}-{}.pem", std::process::id())).to_str().context("no text")?.to_owned())
}
