//! What is measured, and how it is shown.

use std::{
    io::{Read, Write},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use pgferry_test_support::{Postgres, Proxy, TestCa, TestGateway};
use serde_json::Value;

use super::{Ping, both_at, server, transport};

#[test]
fn every_phase_of_both_transports_is_measured_and_its_round_trips_counted() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let ping = Ping::new(&["-n", "3", "--warm", "20", &gateway.ferry(&postgres.url())]).secret(postgres.password());
    let (status, report) = ping.json()?;
    ensure!(status == Some(0) && report["ok"] == true, "{report:#}");

    let expected = [
        ("http", vec![("tcp", 1), ("first_row", 1)], 2),
        // Startup and password each wait for the gateway.
        ("websocket", vec![("tcp", 1), ("upgrade", 1), ("log_in", 2), ("first_row", 1)], 5),
    ];
    for (name, phases, total) in expected {
        let found = transport(&report, name)?;
        let lines = found["phases"].as_array().context("no phases")?;
        let counted: Vec<_> = lines
            .iter()
            .map(|line| (line["phase"].as_str().unwrap_or(""), line["round_trips"].as_i64().unwrap_or(-1)))
            .collect();
        ensure!(counted == phases, "{counted:?}");
        ensure!(found["total"]["round_trips"] == total, "{found:#}");
        ensure!(found["warm"]["count"] == 20 && found["warm"]["round_trips"] == 1, "{found:#}");
        ensure!(
            found["address"] == gateway.address().to_string() && found["errors"] == Value::Array(vec![]),
            "{found:#}"
        );
        for line in lines.iter().chain([&found["total"], &found["warm"]]) {
            let times: Vec<f64> = ["min_ms", "p50_ms", "p90_ms", "p99_ms", "max_ms"]
                .iter()
                .map(|key| line[key].as_f64().with_context(|| format!("{key} of {line:#}")))
                .collect::<Result<_>>()?;
            ensure!(times.is_sorted() && times[0] >= 0.0 && times[4] > 0.0, "{line:#}");
        }
        ensure!(lines.iter().all(|line| line["count"] == 3), "{found:#}");
    }
    ensure!(transport(&report, "http")?["http"] == "HTTP/1.1");
    let websocket = transport(&report, "websocket")?;
    ensure!(websocket["authentication"] == "password", "{websocket:#}");
    ensure!(
        websocket["server_version"]
            .as_str()
            .is_some_and(|version| postgres.psql("show server_version").is_ok_and(|other| other == version))
    );
    Ok(())
}

#[test]
fn scram_is_told_and_its_round_trips_counted() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::with(TestGateway::config(postgres).ws_auth("relay".parse()?))?;
    let ping = Ping::quick(&gateway.ferry(&postgres.url()), &["--transport", "websocket"]).secret(postgres.password());
    let (status, report) = ping.json()?;
    ensure!(status == Some(0), "{report:#}");
    let websocket = transport(&report, "websocket")?;
    ensure!(websocket["authentication"] == "scram-sha-256", "{websocket:#}");
    let log_in = websocket["phases"].as_array().and_then(|lines| lines.iter().find(|line| line["phase"] == "log_in"));
    ensure!(log_in.is_some_and(|line| line["round_trips"] == 3), "{websocket:#}");
    ensure!(report["transports"].as_array().is_some_and(|all| all.len() == 1), "{report:#}");
    Ok(())
}

#[test]
fn no_phase_is_shorter_than_its_round_trips() -> Result<()> {
    const DELAY: Duration = Duration::from_millis(20);
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let far = Proxy::start(gateway.address(), DELAY)?;
    let url = gateway
        .ferry(&postgres.url())
        .replace(&gateway.address().port().to_string(), &far.address().port().to_string());
    let (status, report) = Ping::quick(&url, &[]).secret(postgres.password()).json()?;
    ensure!(status == Some(0), "{report:#}");
    for name in ["http", "websocket"] {
        let found = transport(&report, name)?;
        let lines = found["phases"].as_array().context("no phases")?;
        // The proxy is here, so that opening the connection to it is no way at all.
        for line in lines.iter().filter(|line| line["phase"] != "tcp").chain([&found["warm"]]) {
            let round_trips = line["round_trips"].as_f64().context("not counted")?;
            let least = round_trips * 2.0 * DELAY.as_secs_f64() * 1e3;
            ensure!(round_trips >= 1.0 && line["min_ms"].as_f64().is_some_and(|min| min >= least), "{line:#}");
        }
    }
    Ok(())
}

#[test]
fn tls_is_a_phase_of_its_own() -> Result<()> {
    let (postgres, ca) = (Postgres::shared()?, TestCa::new()?);
    let gateway = TestGateway::start_tls(postgres, &ca)?;
    let (status, report) = Ping::quick(&gateway.ferry(&postgres.url()), &[]).secret(postgres.password()).json()?;
    ensure!(status == Some(0), "{report:#}");
    for name in ["http", "websocket"] {
        let found = transport(&report, name)?;
        ensure!(found["tls"] == "TLS 1.3", "{found:#}");
        let tls = found["phases"].as_array().and_then(|lines| lines.iter().find(|line| line["phase"] == "tls"));
        ensure!(tls.is_some_and(|line| line["round_trips"] == 1), "{found:#}");
    }
    Ok(())
}

#[test]
fn people_get_a_chart_in_what_their_terminal_can_show() -> Result<()> {
    let postgres = Postgres::shared()?;
    let gateway = TestGateway::start(postgres)?;
    let url = gateway.ferry(&postgres.url());
    let said = Ping::quick(&url, &[]).secret(postgres.password()).run()?;
    ensure!(said.status == Some(0) && said.err.is_empty(), "{} {}", said.out, said.err);
    for words in [
        "What the URL is taken for",
        "works (2 of 2 tries)",
        "to the first row",
        "warm statement",
        "p99",
        "█",
        "log-in by password",
    ] {
        ensure!(said.out.contains(words), "{words}: {}", said.out);
    }
    ensure!(!said.out.contains('\u{1b}'), "colours without a terminal: {}", said.out);
    ensure!(said.out.lines().all(|line| line.chars().count() <= 100), "{}", said.out);

    let mut ping = Ping::quick(&url, &[]).secret(postgres.password());
    ping.command.env("LC_ALL", "C");
    let said = ping.run()?;
    ensure!(said.out.contains('#') && !said.out.contains('█'), "{}", said.out);
    Ok(())
}

/// A request's line and headers, sorted, and its body.
fn read_request(tcp: &mut std::net::TcpStream) -> Option<(Vec<String>, String)> {
    let mut request = String::new();
    loop {
        let mut buffer = [0; 4096];
        let count = tcp.read(&mut buffer).ok().filter(|count| *count > 0)?;
        request.push_str(std::str::from_utf8(&buffer[..count]).ok()?);
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let mut lines: Vec<_> = head.lines().map(str::to_ascii_lowercase).collect();
        let length: usize = lines.iter().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
        if body.len() >= length {
            lines.sort_unstable();
            return Some((lines, body.to_owned()));
        }
    }
}

#[test]
fn the_request_that_is_timed_is_the_clients_own() -> Result<()> {
    let (said, heard) = std::sync::mpsc::channel();
    let address = server(move |mut tcp| {
        while let Some(request) = read_request(&mut tcp) {
            let _ = said.send(request);
            let body = r#"{"fields":[{"name":"?column?","dataTypeID":23,"tableID":0,"columnID":0,"dataTypeSize":4,"dataTypeModifier":-1,"format":"text"}],"rows":[["1"]],"command":"SELECT","rowCount":1,"rowAsArray":true}"#;
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
            if tcp.write_all((head + body).as_bytes()).is_err() {
                return;
            }
        }
    })?;
    // The password travels in a header, which is the test's own business alone.
    let (status, report) = Ping::new(&["-n", "1", "--warm", "1", "--transport", "http", &both_at(address)]).json()?;
    ensure!(status == Some(0), "{report:#}");
    let requests: Vec<_> = heard.try_iter().collect();
    let [timed, opening, warm] = &requests[..] else { anyhow::bail!("not three requests: {requests:?}") };
    ensure!(timed == opening && timed == warm, "{requests:#?}");
    ensure!(timed.0.iter().any(|line| line.starts_with("neon-connection-string: postgresql://app:")), "{timed:?}");
    Ok(())
}
