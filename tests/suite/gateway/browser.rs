//! A real browser with a page that tries to reach the gateway.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pgferry_test_support::{Stage, TestGateway};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const PAGE: &str = include_str!("hostile.html");

/// How long a browser may take to start and to try everything.
const PATIENCE: Duration = Duration::from_secs(120);

/// A site of the page's own server; the browser is told that it is on this machine.
const OTHER_SITE: &str = "evil.example";

#[tokio::test]
async fn a_page_runs_no_statement_with_whatever_it_tries() -> Result<()> {
    let stage = Stage::start();
    stage.psql("create table t (n int); alter table t owner to app");
    let site = Site::listen().await?;
    for host in [OTHER_SITE, "localhost", "127.0.0.1"] {
        let results = site.visited_as(host, &stage).await?;
        for (name, result) in results.as_object().context("no results")? {
            // A page cannot see what became of the last two.
            let expected = match name.as_str() {
                "no-cors" => "opaque",
                "form" => "sent",
                _ => "refused",
            };
            ensure!(result == expected, "{name} of {host}: {results}");
        }
        ensure!(stage.psql("select count(*) from t") == "0", "a statement of {host} ran");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_that_is_let_in_runs_its_statement() -> Result<()> {
    let site = Site::listen().await?;
    let origin = format!("http://localhost:{}", site.port);
    let stage = Stage::with(|postgres| TestGateway::with(TestGateway::config(postgres).allow_origin(origin)));
    stage.psql("create table t (n int); alter table t owner to app");
    let results = site.visited_as("localhost", &stage).await?;
    ensure!(results["cors"] == 200 && results["websocket"] == "open", "{results}");
    ensure!(stage.psql("select count(*) from t") == "1", "{results}");
    Ok(())
}

/// The server of the page.
struct Site {
    listener: TcpListener,
    port: u16,
}

impl Site {
    async fn listen() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// Has a browser visit the page by this name, and returns how its tries went.
    async fn visited_as(&self, host: &str, stage: &Stage) -> Result<Value> {
        let gateway = format!("localhost:{}", stage.gateway().address().port());
        let told = json!({ "gateway": gateway, "credentials": stage.postgres_url() }).to_string();
        let url = format!("http://{host}:{}/#{}", self.port, utf8_percent_encode(&told, NON_ALPHANUMERIC));
        let profile = tempfile::tempdir()?;
        let mut browser = tokio::process::Command::from(browser()?);
        let mut running = browser
            // The sandbox needs rights that containers do not give; no page but this test's is visited.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--host-resolver-rules=MAP {OTHER_SITE} 127.0.0.1"))
            .arg("--remote-debugging-port=0")
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let visited = timeout(PATIENCE, async {
            loop {
                let (tcp, _) = self.listener.accept().await?;
                if let Some(results) = serve(tcp).await? {
                    return anyhow::Ok(results);
                }
            }
        });
        let results = visited.await.context("the browser never told how it went")?;
        running.kill().await?;
        // Its other processes end a moment later, and write until then.
        for _ in 0..100 {
            if std::fs::remove_dir_all(profile.path()).is_ok() {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        results
    }
}

/// Serves a request for the page, or takes its results.
async fn serve(tcp: TcpStream) -> Result<Option<Value>> {
    let mut tcp = BufReader::new(tcp);
    let mut head = String::new();
    // Browsers open connections for later, and close them unused.
    while !head.ends_with("\r\n\r\n") {
        match timeout(Duration::from_secs(2), tcp.read_line(&mut head)).await {
            Ok(Ok(length)) if length > 0 => {}
            _ => return Ok(None),
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    tcp.read_exact(&mut body).await?;
    let page = if head.starts_with("GET / ") { PAGE } else { "" };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    tcp.write_all(answer.as_bytes()).await?;
    if head.starts_with("POST /done ") { Ok(Some(serde_json::from_slice(&body)?)) } else { Ok(None) }
}

fn browser() -> Result<Command> {
    let path = std::env::var_os("PATH").context("there is no PATH")?;
    for name in ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"] {
        if std::env::split_paths(&path).any(|directory| directory.join(name).is_file()) {
            return Ok(Command::new(name));
        }
    }
    bail!(
        "a browser is needed to test what its pages can do: install one (`apt install chromium`, `dnf install chromium`)"
    )
}
