//! `pgferry gateway` as whoever starts it sees it.

use std::process::Command;

use pgferry_test_support::{GatewayProcess, Postgres};

use crate::{
    PGFERRY,
    running::{Running, gateway},
};

#[test]
fn it_prints_three_lines_and_never_the_password() {
    // Nobody listens on port 1, which is only worth a warning.
    let upstream = "postgresql://app:sesame@127.0.0.1:1/appdb";
    let mut running = Running::start(&mut gateway(&["--upstream", upstream, "--listen", "127.0.0.1:0"]));
    let lines = running.lines();

    let port = lines[0].strip_prefix("http_url=http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/sql"));
    let port = port.unwrap_or_else(|| panic!("{}", lines[0]));
    assert_eq!(lines[1], format!("ws_url=ws://127.0.0.1:{port}/v2"));
    let urls = format!("http_url=http%3A%2F%2F127.0.0.1%3A{port}%2Fsql&ws_url=ws%3A%2F%2F127.0.0.1%3A{port}%2Fv2");
    assert_eq!(lines[2], format!("DATABASE_URL=postgresql://app@127.0.0.1:1/appdb?{urls}"));

    #[cfg(target_os = "linux")]
    {
        let command_line = std::fs::read(format!("/proc/{}/cmdline", running.id())).expect("the process runs");
        let command_line = String::from_utf8_lossy(&command_line).into_owned();
        assert!(command_line.contains("app@127.0.0.1"), "{command_line}");
        assert!(!command_line.contains("sesame"), "{command_line}");
    }

    let log = running.kill();
    assert!(log.contains("port 1"), "no warning: {log}");
    assert!(!log.contains("sesame"), "{log}");
}

#[cfg(target_os = "linux")]
#[test]
fn no_spelling_of_a_password_stays_in_the_list_of_processes() {
    for upstream in [
        "POSTGRESQL://app:sesame@127.0.0.1:1/appdb",
        "postgresql://127.0.0.1:1/appdb?user=app&password=sesame",
        "postgresql://app@127.0.0.1:1/appdb?pass%77ord=sesame",
    ] {
        let flag = format!("--upstream={upstream}");
        let mut running = Running::start(&mut gateway(&[&flag, "--listen", "127.0.0.1:0"]));
        let lines = running.lines();
        assert!(lines[2].starts_with("DATABASE_URL=postgresql://app@127.0.0.1:1/appdb?"), "{lines:?}");
        let command_line = std::fs::read(format!("/proc/{}/cmdline", running.id())).expect("the process runs");
        assert!(!String::from_utf8_lossy(&command_line).contains("sesame"), "{upstream}");
        assert!(!lines.concat().contains("sesame"), "{lines:?}");
    }
}

#[test]
fn mistakes_are_told_without_the_password() {
    for (args, words) in [
        (&["--upstream", "mysql://app:sesame@localhost/db"][..], "postgresql://"),
        (&["--upstream", "postgresql://app:sesame@localhost/db?sslmode=maybe"], "sslmode"),
        (&["--upstream", "postgres://app:x@h:x/d"], "no URL"),
        (&["--upstream", "postgresql://localhost/db", "--allow-address", "postgresql://h:x/d"], "no URL"),
        (&["--upstream", "postgresql://localhost/db", "--listen", "0.0.0.0:0"], "TLS"),
        (&["--upstream", "postgresql://localhost/db", "--ws-auth", "magic"], "cleartext or relay"),
        (&["postgresql://app:sesame@localhost/db"], "--upstream"),
        (&["--upstream", "postgresql://localhost/db", "postgresql://app:sesame@localhost/db"], "--upstream"),
        (&["--upstream", "postgresql://localhost/db", "--listen", "postgresql://app:sesame@localhost/db"], "URL"),
        (&["--upstream=postgresql://app:12/sesame@localhost/db"], "percent-encoded"),
        (&[], "--upstream"),
    ] {
        let output = gateway(args).output().expect("the command runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{args:?}");
        assert!(err.contains(words), "{args:?}: {err}");
        assert!(!err.contains("sesame"), "{args:?}: {err}");
        assert!(!err.contains("hint: "), "a hint about connections, {args:?}: {err}");
    }
}

#[test]
fn faults_have_a_heading_of_their_own() {
    let output = gateway(&["--help"]).output().expect("the command runs");
    let help = String::from_utf8_lossy(&output.stdout);
    let before = help.split_once("--fault <FAULT>").expect("it is there").0;
    let heading = before.lines().rfind(|line| line.ends_with(':') && !line.starts_with(' '));
    assert_eq!(heading, Some("Trouble on purpose:"));
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let listen = taken.local_addr().expect("it has an address").to_string();
    for server in [&["--upstream", "postgresql://localhost/db"][..], &["--ephemeral"]] {
        let output = gateway(&[server, &["--listen", &listen]].concat()).output().expect("the command runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(complaint.starts_with(&format!("pgferry: the gateway cannot listen on {listen}: ")), "{complaint}");
        assert!(!complaint.contains("hint") && !complaint.contains("runs on"), "{complaint}");
    }
}

#[test]
fn a_password_that_was_changed_counts_at_once_where_that_is_asked_for() -> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    postgres.psql("CREATE ROLE changing LOGIN PASSWORD 'sesame'")?;
    let gateway = GatewayProcess::start(PGFERRY, &postgres, &["--max-lifetime", "0"])?;
    let url = gateway.ferry(&postgres.url_for("changing", "sesame", "app"));
    let ask = || Command::new(PGFERRY).args(["query", &url, "SELECT 1", "--transport", "http"]).output();
    let before = ask()?;
    assert!(before.status.success(), "{}", String::from_utf8_lossy(&before.stderr));
    postgres.psql("ALTER ROLE changing PASSWORD 'another'")?;
    let after = ask()?;
    let complaint = String::from_utf8_lossy(&after.stderr);
    assert!(!after.status.success() && complaint.contains("password"), "{complaint}");
    Ok(())
}
