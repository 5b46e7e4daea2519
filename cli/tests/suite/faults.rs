//! `pgferry gateway --fault …` as whoever tests an application with it sees it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use pgferry_test_support::{GatewayProcess, Postgres};

use crate::{
    PGFERRY,
    running::{Running, gateway},
};

const UPSTREAM: [&str; 4] = ["--upstream", "postgresql://app@127.0.0.1:1/app", "--listen", "127.0.0.1:0"];

#[test]
fn mistakes_name_the_part_and_the_right_form() {
    for (fault, words) in [
        ("latency=fast", "latency=50ms..200ms"),
        ("drop=sometimes", "drop=during"),
        ("status=503@often", "@every=10"),
        ("postgresql://app:sesame@localhost/app", "status=503"),
    ] {
        let output = gateway(&UPSTREAM).args(["--fault", fault]).output().expect("the command runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{fault}");
        assert!(err.contains(words) && !err.contains("sesame"), "{fault}: {err}");
    }
}

#[test]
fn what_was_injected_is_logged() {
    let mut running = Running::start(gateway(&UPSTREAM).args(["--fault", "status=429", "--fault", "seed=7"]));
    let address = running.lines()[0].trim_start_matches("http_url=http://").trim_end_matches("/sql").to_owned();
    let mut tcp = TcpStream::connect(&address).expect("it listens");
    let request =
        format!("POST /sql HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}");
    tcp.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("pgferry-fault: status=429"), "{answer}");
    let log = running.kill();
    assert!(log.contains("status=429 seed=7"), "what was asked for is not told: {log}");
    assert!(log.contains(r#"injected fault="status=429""#), "what was met is not told: {log}");
}

/// What the driver says of a statement: the class of its error, its SQLSTATE or status, and its message.
const STATEMENT: &str = "
    import { neon, neonConfig } from '@neondatabase/serverless';
    neonConfig.fetchEndpoint = () => process.env.HTTP_URL;
    const sql = neon(process.env.DATABASE_URL);
    try { console.log('rows', JSON.stringify(await sql`select 1 as one`)); }
    catch (error) { console.log(error.name, error.code ?? '', error.message); }
";

#[test]
fn the_official_driver_sees_a_plain_failure() -> Result<()> {
    let postgres = Postgres::start()?;
    for (fault, expected) in [
        ("status=503", "NeonDbError  Server error (HTTP status 503)"),
        ("status=too-many-connections", "NeonDbError  Server error (HTTP status 500)"),
        ("error=40001", "NeonDbError 40001 could not serialize access due to concurrent update"),
        ("drop=before", "NeonDbError  Error connecting to database: TypeError: fetch failed"),
        ("drop=after", "NeonDbError  Error connecting to database: TypeError: fetch failed"),
        ("latency=1ms", r#"rows [{"one":1}]"#),
    ] {
        let gateway = GatewayProcess::start(PGFERRY, &postgres, &["--fault", fault])?;
        let package = std::env::var_os("CARGO_MANIFEST_DIR").context("this test is started by cargo")?;
        let output = Command::new("node")
            .args(["--input-type=module", "--eval", STATEMENT])
            .current_dir(std::path::Path::new(&package).join("../tests/js"))
            .env("DATABASE_URL", postgres.url())
            .env("HTTP_URL", gateway.http_url())
            .output()
            .context("Node.js cannot be started")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(said.starts_with(expected), "{fault}: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
