//! A gateway's own certificates.

use std::fs;

use anyhow::{Context, Result};
use pgferry::{Config, Transport};
use pgferry_gateway::{
    GatewayConfig,
    tls::{self, CertificateFiles, SelfSigned},
};
use pgferry_test_support::{Postgres, TestGateway};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

/// A certificate for localhost and its key, as PEM.
fn made() -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["localhost".to_owned()])?.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Whether somebody who trusts this certificate alone reaches the gateway, both ways.
async fn reaches(gateway: &TestGateway, postgres: &Postgres, pem: &str, directory: &TempDir) -> Result<()> {
    let trusted = directory.path().join("trusted.pem");
    fs::write(&trusted, pem)?;
    for transport in [Transport::Http, Transport::WebSocket] {
        let config = gateway.ferry(&postgres.url()).parse::<Config>()?.transport(transport);
        let pool = pgferry_sqlx::pool(config.root_certificates_file(&trusted)?).await?;
        let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&pool).await?;
        assert_eq!(one, 1);
        pool.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_made_for_localhost_is_trusted_by_who_has_it() -> Result<()> {
    let postgres = Postgres::shared()?;
    let certificate = SelfSigned::for_localhost()?;
    let gateway = TestGateway::with(TestGateway::config(postgres).tls(certificate.server_config()))?;
    let directory = tempfile::tempdir()?;
    reaches(&gateway, postgres, certificate.pem(), &directory).await?;
    let another = SelfSigned::for_localhost()?;
    assert!(reaches(&gateway, postgres, another.pem(), &directory).await.is_err());
    assert!(!format!("{certificate:?}").contains("PRIVATE"));
    Ok(())
}

#[tokio::test]
async fn files_are_read_again() -> Result<()> {
    let postgres = Postgres::shared()?;
    let directory = tempfile::tempdir()?;
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let (old, old_key) = made()?;
    fs::write(&certificate, &old)?;
    fs::write(&key, &old_key)?;
    let files = CertificateFiles::read(&certificate, &key)?;
    let gateway = TestGateway::with(TestGateway::config(postgres).tls(files.server_config()?))?;
    reaches(&gateway, postgres, &old, &directory).await?;

    let (new, new_key) = made()?;
    fs::write(&certificate, &new)?;
    let error = files.read_again().err().context("a foreign key was taken")?;
    assert!(error.to_string().contains("not the certificate's"), "{error}");
    reaches(&gateway, postgres, &old, &directory).await?;
    fs::write(&key, &new_key)?;
    files.read_again()?;
    reaches(&gateway, postgres, &new, &directory).await?;
    assert!(reaches(&gateway, postgres, &old, &directory).await.is_err());
    Ok(())
}

#[test]
fn wrong_files_are_told_of() -> Result<()> {
    let (certificate, key) = made()?;
    let (_, foreign) = made()?;
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (certificate, key, words) in [
        (&*certificate, &*foreign, "not the certificate's"),
        (&*certificate, &*certificate, "no private key"),
        (&*certificate, "", "no private key"),
        (&*certificate, encrypted, "encrypted"),
        (&*key, &*key, "no certificate"),
        ("", &*key, "no certificate"),
    ] {
        let error = tls::server_config(certificate.as_bytes(), key.as_bytes()).err().context("taken")?;
        assert!(error.to_string().contains(words), "{error}");
    }
    tls::server_config(certificate.as_bytes(), key.as_bytes())?;
    let error = CertificateFiles::read("/nowhere/cert.pem", "/nowhere/key.pem").err().context("read")?;
    assert!(error.to_string().contains("/nowhere/cert.pem"), "{error}");
    Ok(())
}

#[test]
fn a_certificate_lets_a_gateway_listen_anywhere() -> Result<()> {
    let config = GatewayConfig::new("postgresql://localhost".parse()?).listen(([0, 0, 0, 0], 0).into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let gateway =
        runtime.block_on(pgferry_gateway::Gateway::bind(config.tls(SelfSigned::for_localhost()?.server_config())))?;
    assert!(gateway.http_url().starts_with("https://localhost:"));
    Ok(())
}
