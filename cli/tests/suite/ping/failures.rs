//! Where it fails, and what it advises.

use std::io::{Read, Write};

use anyhow::{Result, ensure};
use pgferry_gateway::{GatewayConfig, Upstream};
use pgferry_test_support::{GatewayProcess, Postgres, TestCa, TestGateway};

use super::{NOBODY, NOWHERE, PASSWORD, Ping, both_at, server, transport, url};
use crate::PGFERRY;

/// Checks that both transports fail at a phase, with a message and a remedy that have these words.
fn expect_failures(url: &str, args: &[&str], phases: [&str; 2], words: &str, remedy: &str) -> Result<()> {
    let (status, report) = Ping::quick(url, args).json()?;
    ensure!(status == Some(1) && report["ok"] == false, "{status:?} {report:#}");
    for (name, phase) in ["http", "websocket"].into_iter().zip(phases) {
        let found = transport(&report, name)?;
        let error = &found["errors"][0];
        ensure!(found["ok"] == false && error["phase"] == phase, "{name} not at {phase}: {report:#}");
        ensure!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{words}: {report:#}");
        ensure!(error["remedies"].to_string().contains(remedy), "{remedy}: {report:#}");
    }
    Ok(())
}

#[test]
fn a_statement_that_fails_is_not_taken_for_the_connection() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let ping = Ping::quick(&gateway.ferry(&postgres.url()), &["--statement", "select 1/0"]).secret(postgres.password());
    let (status, report) = ping.json()?;
    ensure!(status == Some(1), "{report:#}");
    for name in ["http", "websocket"] {
        let error = &transport(&report, name)?["errors"][0];
        ensure!(error["phase"] == "first_row" && error["code"] == "22012", "{report:#}");
        ensure!(error["remedies"].to_string().contains("it is the statement that failed"), "{report:#}");
    }
    Ok(())
}

#[test]
fn a_closed_port() -> Result<()> {
    expect_failures(&both_at(NOBODY), &[], ["tcp", "tcp"], "refused", "is `pgferry gateway` running")
}

#[test]
fn a_name_without_an_address() -> Result<()> {
    let url = url(&format!("https://{NOWHERE}/sql"), &format!("wss://{NOWHERE}/v2"));
    expect_failures(&url, &[], ["dns", "dns"], NOWHERE, "compare nobody.invalid")?;
    let mut ping = Ping::quick(&url, &["--transport", "http"]);
    ping.command.env("HTTPS_PROXY", "http://proxy.example:3128");
    let (_, report) = ping.json()?;
    let remedies = transport(&report, "http")?["errors"][0]["remedies"].to_string();
    ensure!(remedies.contains("HTTPS_PROXY is set, but pgferry connects without a proxy"), "{report:#}");
    Ok(())
}

#[test]
fn a_server_that_says_nothing() -> Result<()> {
    let address = server(|mut tcp| while tcp.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {})?;
    expect_failures(&both_at(address), &["--timeout", "0.5"], ["first_row", "upgrade"], "within 500ms", "says nothing")
}

#[test]
fn a_web_server_that_is_no_gateway() -> Result<()> {
    let address = server(|mut tcp| {
        let _ = tcp.read(&mut [0; 4096]);
        let body = "<h1>Nothing here</h1>";
        let answer =
            format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let _ = tcp.write_all(answer.as_bytes());
    })?;
    let (status, report) = Ping::quick(&both_at(address), &[]).json()?;
    ensure!(status == Some(1), "{report:#}");
    for (name, phase, key) in [("http", "first_row", "http_url"), ("websocket", "upgrade", "ws_url")] {
        let error = &transport(&report, name)?["errors"][0];
        ensure!(error["phase"] == phase, "{report:#}");
        let message = error["message"].as_str().unwrap_or_default();
        ensure!(message.contains("404") && message.contains("Nothing here"), "{message}");
        ensure!(error["remedies"].to_string().contains(&format!("check {key}")), "{report:#}");
    }
    Ok(())
}

#[test]
fn postgres_itself() -> Result<()> {
    let address = format!("127.0.0.1:{}", Postgres::shared()?.port());
    let (_, report) = Ping::quick(&both_at(&address), &[]).json()?;
    let (_, over_tls) =
        Ping::quick(&url(&format!("https://{address}/sql"), &format!("wss://{address}/v2")), &[]).json()?;
    for report in [report, over_tls] {
        for name in ["http", "websocket"] {
            let remedies = transport(&report, name)?["errors"][0]["remedies"].to_string();
            ensure!(remedies.contains("is Postgres itself") && remedies.contains("pgferry gateway"), "{report:#}");
        }
    }
    Ok(())
}

#[test]
fn a_wrong_password() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let url = gateway.ferry(&postgres.url_for("app", PASSWORD, "app"));
    expect_failures(&url, &[], ["first_row", "log_in"], "password authentication failed", "percent-encoded")
}

#[test]
fn no_password() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let url = gateway.ferry(&format!("postgresql://app@127.0.0.1:{}/app", postgres.port()));
    expect_failures(&url, &[], ["configuration", "log_in"], "configured", "PGPASSWORD")
}

#[test]
fn an_unknown_database() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let url = gateway.ferry(&postgres.database_url("nowhere"));
    expect_failures(&url, &[], ["first_row", "log_in"], "nowhere", "create the database")
}

#[test]
fn a_gateway_without_its_postgres() -> Result<()> {
    let gateway = TestGateway::with(GatewayConfig::new(Upstream::new("127.0.0.1", 1)))?;
    let url = url(gateway.http_url(), gateway.ws_url());
    expect_failures(&url, &[], ["first_row", "log_in"], "127.0.0.1 port 1", "does not reach its Postgres")
}

#[test]
fn a_gateway_before_something_that_hangs_up() -> Result<()> {
    let upstream = server(|mut tcp| {
        let _ = tcp.read(&mut [0; 4096]);
    })?;
    let config = GatewayConfig::new(Upstream::new("127.0.0.1", upstream.port())).ws_auth("relay".parse()?);
    let gateway = TestGateway::with(config)?;
    let url = url(gateway.http_url(), gateway.ws_url());
    let (status, report) = Ping::quick(&url, &["--transport", "websocket"]).json()?;
    let error = &transport(&report, "websocket")?["errors"][0];
    ensure!(status == Some(1) && error["phase"] == "log_in", "{report:#}");
    ensure!(error["remedies"].as_array().is_some_and(|remedies| !remedies.is_empty()), "{report:#}");
    Ok(())
}

#[test]
fn a_certificate_that_nobody_trusts() -> Result<()> {
    let (postgres, ca, another) = (Postgres::shared()?, TestCa::new()?, TestCa::new()?);
    let gateway = TestGateway::start_tls(postgres, &ca)?;
    let file = another.pem_file().to_string_lossy().replace('/', "%2F");
    let url = format!("{}&sslrootcert={file}", url(gateway.http_url(), gateway.ws_url()));
    expect_failures(&url, &[], ["tls", "tls"], "", "sslrootcert=FILE")
}

#[test]
fn a_certificate_of_another_host() -> Result<()> {
    let (postgres, ca) = (Postgres::shared()?, TestCa::new()?);
    let gateway = TestGateway::with(TestGateway::config(postgres).tls(ca.server_config(["other.example"])?))?;
    let file = ca.pem_file().to_string_lossy().replace('/', "%2F");
    let url = format!("{}&sslrootcert={file}", url(gateway.http_url(), gateway.ws_url()));
    expect_failures(&url, &[], ["tls", "tls"], "other.example", "")
}

#[test]
fn tls_where_there_is_none() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let address = gateway.address();
    let url = url(&format!("https://{address}/sql"), &format!("wss://{address}/v2"));
    expect_failures(&url, &[], ["tls", "tls"], "TLS", "plain scheme")
}

#[test]
fn a_frozen_gateway() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = GatewayProcess::start(PGFERRY, postgres, &[])?;
    gateway.stop()?;
    let url = url(gateway.http_url(), gateway.ws_url());
    let failed = expect_failures(&url, &["--timeout", "0.5"], ["first_row", "upgrade"], "within", "");
    gateway.resume()?;
    failed
}

#[test]
fn a_service_that_turns_connections_away() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = GatewayProcess::start(PGFERRY, postgres, &["--fault", "status=503"])?;
    let ping = Ping::quick(&gateway.ferry(&postgres.url()), &[]).secret(postgres.password());
    let (_, report) = ping.json()?;
    for name in ["http", "websocket"] {
        let remedies = transport(&report, name)?["errors"][0]["remedies"].to_string();
        ensure!(remedies.contains("try again") && !remedies.contains("check"), "{report:#}");
    }
    Ok(())
}
