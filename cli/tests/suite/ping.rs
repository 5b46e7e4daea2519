//! `pgferry ping` as whoever calls it sees it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use pgferry_gateway::{GatewayConfig, Upstream};
use pgferry_test_support::{GatewayProcess, Postgres, Proxy, TestCa, TestGateway};
use serde_json::Value;

use crate::PGFERRY;

/// Stands for every password that is written out here.
const PASSWORD: &str = "sesame";

/// Where nobody listens: port 1 is reserved and unused.
const NOBODY: &str = "127.0.0.1:1";

/// A host that never has an address (RFC 6761, section 6.4).
const NOWHERE: &str = "nobody.invalid";

struct Ping {
    command: Command,
    /// What must not be seen.
    secret: String,
}

struct Said {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Ping {
    fn new(args: &[&str]) -> Self {
        let mut command = Command::new(PGFERRY);
        command.arg("ping").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if ["PG", "DATABASE_", "LC_", "LANG", "RUST_LOG", "NO_COLOR", "CLICOLOR"]
                .iter()
                .any(|start| name_text.starts_with(start))
            {
                command.env_remove(&name);
            }
        }
        command.env("LC_ALL", "C.UTF-8").current_dir(std::env::temp_dir());
        Self { command, secret: PASSWORD.to_owned() }
    }

    /// A few tries are enough to see what is measured.
    fn quick(url: &str, args: &[&str]) -> Self {
        Self::new(&[&["-n", "2", "--warm", "3", url], args].concat())
    }

    fn secret(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self
    }

    fn run(mut self) -> Result<Said> {
        let Output { status, stdout, stderr } = self.command.output()?;
        let said = Said { status: status.code(), out: String::from_utf8(stdout)?, err: String::from_utf8(stderr)? };
        ensure!(!said.out.contains(&self.secret) && !said.err.contains(&self.secret), "the password is shown");
        Ok(said)
    }

    fn json(mut self) -> Result<(Option<i32>, Value)> {
        self.command.arg("--json");
        let said = self.run()?;
        ensure!(said.err.is_empty(), "{}", said.err);
        Ok((said.status, serde_json::from_str(&said.out).with_context(|| said.out.clone())?))
    }
}

/// A URL with these endpoints, as the gateway prints one.
fn url(http: &str, ws: &str) -> String {
    let encoded = |url: &str| url.replace(':', "%3A").replace('/', "%2F");
    format!("postgresql://app:{PASSWORD}@127.0.0.1:5432/app?http_url={}&ws_url={}", encoded(http), encoded(ws))
}

fn both_at(address: impl std::fmt::Display) -> String {
    url(&format!("http://{address}/sql"), &format!("ws://{address}/v2"))
}

/// A server on a thread, which does this with each connection until the test's process ends.
fn server(serve: impl Fn(std::net::TcpStream) + Send + Sync + Clone + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(tcp));
        }
    });
    Ok(address)
}

fn transport<'a>(report: &'a Value, name: &str) -> Result<&'a Value> {
    let transports = report["transports"].as_array().context("no transports")?;
    transports.iter().find(|transport| transport["transport"] == name).with_context(|| format!("no {name}: {report:#}"))
}

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

#[cfg(target_os = "linux")]
#[test]
fn the_list_of_processes_never_shows_the_password() -> Result<()> {
    let (said, heard) = std::sync::mpsc::channel();
    let address = server(move |mut tcp| {
        let _ = said.send(());
        while tcp.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
    })?;
    for url in [both_at(address), format!("--url={}", both_at(address))] {
        let mut running = Ping::new(&[&url]).command.spawn()?;
        let connected = heard.recv_timeout(Duration::from_secs(60));
        let shown = std::fs::read(format!("/proc/{}/cmdline", running.id()));
        running.kill()?;
        running.wait()?;
        connected?;
        let shown = String::from_utf8_lossy(&shown?).into_owned();
        ensure!(shown.contains("app@127.0.0.1") && !shown.contains(PASSWORD), "{shown}");
    }
    Ok(())
}

fn offline(url: &str) -> Result<Value> {
    let (status, report) = Ping::new(&["--offline", url]).json()?;
    ensure!(status == Some(0) && report["transports"] == Value::Array(vec![]), "{report:#}");
    Ok(report["url"].clone())
}

#[test]
fn what_neons_console_gives_is_understood() -> Result<()> {
    for (host, pooled) in [("ep-cool-darkness-a1b2c3d4", false), ("ep-cool-darkness-a1b2c3d4-pooler", true)] {
        let host = format!("{host}.us-east-2.aws.neon.tech");
        let told =
            offline(&format!("postgresql://alex:{PASSWORD}@{host}/dbname?sslmode=require&channel_binding=require"))?;
        ensure!(told["provider"]["value"] == "neon" && told["provider"]["from"] == "host", "{told:#}");
        ensure!(told["pooled"] == pooled && told["password_sent_ahead"] == true, "{told:#}");
        ensure!(told["http"]["url"] == "https://api.us-east-2.aws.neon.tech/sql", "{told:#}");
        ensure!(told["websocket"]["url"] == format!("wss://{host}/v2"), "{told:#}");
        ensure!(told["password"]["given"] == true && told["password"]["from"] == "URL", "{told:#}");
        ensure!(told["port"]["value"] == 5432 && told["port"]["from"] == "default", "{told:#}");
        let fates: Vec<_> =
            told["parameters"].as_array().context("none")?.iter().map(|each| (&each["name"], &each["fate"])).collect();
        ensure!(
            fates
                == [("sslmode", "applied"), ("channel_binding", "left out")]
                    .map(|(a, b)| (Value::from(a), Value::from(b)))
                    .iter()
                    .map(|(a, b)| (a, b))
                    .collect::<Vec<_>>(),
            "{fates:?}"
        );
        ensure!(
            told["parameters"][1]["reason"].as_str().is_some_and(|reason| reason.contains("TLS ends at the endpoint"))
        );
    }
    Ok(())
}

#[test]
fn people_read_what_a_url_is_taken_for() -> Result<()> {
    let host = "ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech";
    let url = format!("postgresql://alex:{PASSWORD}@{host}/dbname?sslmode=require&channel_binding=require");
    let said = Ping::new(&["--offline", &url]).run()?;
    let expected = "\
What the URL is taken for
  provider   Neon (by its host)
  host       ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech (URL)
  port       5432 (default)
  user       alex (URL)
  password   given (URL)
  database   dbname (URL)
  server     pooled: a pooler in transaction mode, so that what a session sets does not last
  transport  auto (default)
  HTTP       https://api.us-east-2.aws.neon.tech/sql
    log-in   the password goes with each request, inside TLS
  WebSocket  wss://ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/v2
    log-in   the password in cleartext, inside TLS, sent before it is asked for

Its parameters
  sslmode=require (URL)
      applied
  channel_binding=require (URL)
      left out: TLS ends at the endpoint, so there is no channel to Postgres to bind to; the
      endpoint's certificate is verified instead
";
    ensure!(said.status == Some(0) && said.out == expected, "{}", said.out);
    Ok(())
}

#[test]
fn what_planetscales_console_gives_is_understood() -> Result<()> {
    for (port, pooled) in [(5432, false), (6432, true)] {
        let host = "XXXX.us-east-2.pg.psdb.cloud";
        let url = format!(
            "postgresql://role.branch:pscale_pw_{PASSWORD}@{host}:{port}/postgres?sslmode=verify-full&sslrootcert=system&sslnegotiation=direct"
        );
        let told = offline(&url)?;
        let host = host.to_ascii_lowercase();
        ensure!(told["provider"]["value"] == "planetscale" && told["pooled"] == pooled, "{told:#}");
        ensure!(told["user"]["value"] == "role.branch" && told["database"]["value"] == "postgres", "{told:#}");
        ensure!(told["http"]["url"] == format!("https://{host}/sql"), "{told:#}");
        ensure!(told["websocket"]["url"] == format!("wss://{host}/v2?address={host}:{port}"), "{told:#}");
        ensure!(told["require_auth"] == "scram-sha-256" && told["password_sent_ahead"] == false, "{told:#}");
        ensure!(
            told["parameters"][2]["name"] == "sslnegotiation" && told["parameters"][2]["fate"] == "left out",
            "{told:#}"
        );
    }
    Ok(())
}

#[test]
fn where_each_value_came_from_is_told() -> Result<()> {
    let mut ping = Ping::new(&["--offline"]);
    ping.command.envs([
        ("DATABASE_URL", "postgresql://app@db.example/shop"),
        ("PGPASSWORD", PASSWORD),
        ("PGPORT", "6432"),
        ("PGUSER", "other"),
        ("PGFERRY_TRANSPORT", "http"),
    ]);
    let (_, report) = ping.json()?;
    let told = &report["url"];
    for (key, from) in [
        ("host", "DATABASE_URL"),
        ("user", "DATABASE_URL"),
        ("database", "DATABASE_URL"),
        ("port", "PGPORT"),
        ("password", "PGPASSWORD"),
        ("transport", "PGFERRY_TRANSPORT"),
    ] {
        ensure!(told[key]["from"] == from, "{key}: {told:#}");
    }
    ensure!(told["user"]["value"] == "app" && told["pooled"] == true, "{told:#}");

    let mut ping = Ping::new(&["--offline"]);
    ping.command.envs([("PGHOST", "db.example"), ("PGUSER", "app")]);
    let (_, report) = ping.json()?;
    ensure!(
        report["url"]["host"]["from"] == "PGHOST" && report["url"]["database"]["from"] == "the user's name",
        "{report:#}"
    );
    Ok(())
}

#[test]
fn mistakes_are_told_with_every_refused_parameter() -> Result<()> {
    let url = format!("postgresql://app:{PASSWORD}@db.example/app?search_path=x&sslmode=require&sslcert=a.pem");
    let said = Ping::new(&["--offline", &url]).run()?;
    ensure!(said.status == Some(2), "{} {}", said.out, said.err);
    for words in ["search_path", "refused: a session's settings go into options", "sslcert", "sslmode=require"] {
        ensure!(said.out.contains(words), "{words}: {}", said.out);
    }
    ensure!(said.err.contains("search_path"), "{}", said.err);
    let said = Ping::new(&["--offline", "--json", &url]).run()?;
    let report: Value = serde_json::from_str(&said.out)?;
    let fates: Vec<_> =
        report["url"]["parameters"].as_array().context("none")?.iter().map(|each| &each["fate"]).collect();
    ensure!(
        said.status == Some(2)
            && report["ok"] == false
            && report["error"].is_string()
            && fates == ["applied", "refused", "refused"],
        "{report:#}"
    );

    for args in [
        &["--tries", "0", "postgresql://app@db.example/app"][..],
        &["--timeout", "0", "postgresql://app@db.example/app"],
        &["--transport", "tcp", "postgresql://app@db.example/app"],
        &["--offline", "mysql://app:sesame@db.example/app"],
        &["--offline", "postgresql://app:se/same@db.example/app"],
        &["--offline"],
    ] {
        let said = Ping::new(args).run()?;
        ensure!(
            said.status == Some(2) && said.out.is_empty() && !said.err.is_empty(),
            "{args:?}: {} {}",
            said.out,
            said.err
        );
    }
    Ok(())
}

#[test]
fn programs_read_json_also_where_nothing_can_be_measured() -> Result<()> {
    for (url, words) in [
        ("mysql://app:sesame@db.example/app", "must begin postgresql://"),
        ("postgresql://app@db.example:x/app", "the URL's port: it is not a number"),
        ("postgresql:///app", "host"),
    ] {
        let said = Ping::new(&["--json", url]).run()?;
        ensure!(said.status == Some(2), "{} {}", said.out, said.err);
        let report: Value = serde_json::from_str(&said.out).with_context(|| said.err.clone())?;
        ensure!(report["ok"] == false && report["url"].is_null(), "{report:#}");
        let error = report["error"].as_str().context("no error")?;
        ensure!(error.contains(words) && said.err == format!("pgferry: {error}\n"), "{report:#} {}", said.err);
    }
    Ok(())
}

#[test]
fn a_plain_endpoint_is_not_told_to_be_applied() -> Result<()> {
    let url = url("http://db.example/sql", "wss://db.example/v2");
    let said = Ping::new(&["--offline", &url]).run()?;
    ensure!(
        said.out.contains("http_url=http://db.example/sql (URL)\n      refused: plain http: would show"),
        "{}",
        said.out
    );
    ensure!(said.out.contains("ws_url=wss://db.example/v2 (URL)\n      applied\n"), "{}", said.out);
    Ok(())
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
