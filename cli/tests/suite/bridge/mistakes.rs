//! Mistakes of whoever starts a bridge or connects to it, and a server that is not there.

use std::net::TcpListener;

use pgferry_test_support::{GatewayProcess, Postgres, Stage};

use super::{Bridge, FAITHFUL, TRANSPORTS, bridge, clean, printed, psql};
use crate::{PGFERRY, running::Running};

/// How the command ends that is called so, and what it says.
fn ends(url: &str, args: &[&str]) -> (Option<i32>, String) {
    let (status, said) =
        Running::start(clean(PGFERRY).args(["bridge", "--no-env-file"]).args(args).env("DATABASE_URL", url)).wait();
    (status.code(), said)
}

/// Why a client is not let in.
#[track_caller]
fn refused(url: &str) -> String {
    let output = psql(url).args(["-c", "select 1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "no session");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_bridge_is_for_this_machine_alone() {
    let url = "postgresql://app:sesame@127.0.0.1/app?ws_url=ws%3A%2F%2F127.0.0.1%3A1";
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let (status, said) = ends(url, &["--listen", address]);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("no loopback address: take 127.0.0.1"), "{said}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let url = "postgresql://app:sesame@127.0.0.1/app?ws_url=ws%3A%2F%2F127.0.0.1%3A1";
    let (status, said) = ends(url, &["--listen", &address]);
    assert_eq!(status, Some(2), "{said}");
    assert_eq!(
        said,
        format!("pgferry: the bridge cannot listen on {address}: something else does, so take another port\n")
    );
}

#[test]
fn mistakes_are_told_without_the_password() {
    let url = "postgresql://app:sesame@127.0.0.1/app?ws_url=ws%3A%2F%2F127.0.0.1%3A1";
    for (args, words) in [
        (&["--listen", "everywhere"][..], "--listen"),
        (&["--transport", "pigeon"], "\"pigeon\" is not a transport"),
        (&["--transport", "http"], "http_url"),
        (&["postgresql://app:sesame@a", "postgresql://app:sesame@b"], "one URL"),
        (&["--password", "sesame"], "--password"),
    ] {
        let (status, said) = ends(url, args);
        assert_eq!(status, Some(2), "{args:?} {said}");
        assert!(said.contains(words) && !said.contains("sesame"), "{args:?} {said}");
    }
    let (status, said) = ends("", &[]);
    assert_eq!(status, Some(2));
    assert!(said.contains("DATABASE_URL") || said.contains("PGHOST"), "{said}");
}

#[test]
fn the_password_and_the_role_are_the_bridges() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let bridge = Bridge::start(&stage, transport);
        let wrong = bridge.url().replace(bridge.line("password"), stage.password());
        let said = refused(&wrong);
        assert!(said.contains("FATAL:  the bridge has a password of its own"), "{transport} {said}");
        let said = refused(&bridge.url().replace("//app:", "//postgres:"));
        assert!(said.contains("the bridge logs in as \"app\""), "{transport} {said}");
        assert!(said.contains("connect as \"app\", or start another bridge with the URL of \"postgres\""), "{said}");
    }
}

#[test]
fn the_servers_own_refusals_come_through() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let bridge = Bridge::start(&stage, transport);
        let said = refused(&bridge.url_of("nowhere"));
        assert!(said.contains("database \"nowhere\" does not exist"), "{transport} {said}");
    }
    let url = stage.url().replace(stage.password(), "sesame");
    for transport in TRANSPORTS {
        let mut bridge = Bridge::with(&mut bridge(&url, &["--transport", transport]));
        let said = refused(bridge.url());
        assert!(said.contains("password authentication failed for user"), "{transport} {said}");
        // Whoever started it need not wait for a client to learn of it.
        bridge.running.signal("TERM");
        let said = bridge.running.wait().1;
        assert!(said.contains("password authentication failed"), "{transport} {said}");
        assert!(!said.contains("sesame"), "{said}");
    }
}

#[test]
fn a_server_that_is_down_is_told_to_each_client_until_it_is_back() {
    let postgres = Postgres::start().unwrap();
    let mut gateway = GatewayProcess::start(PGFERRY, &postgres, &[]).unwrap();
    for transport in FAITHFUL.into_iter().chain(["http"]) {
        let bridge = Bridge::with(&mut bridge(&gateway.ferry(&postgres.url()), &["--transport", transport]));
        assert_eq!(printed(bridge.url(), "select 1"), "1\n");
        gateway.kill().unwrap();
        let said = refused(bridge.url());
        assert!(said.contains("FATAL:"), "{transport} {said}");
        gateway.restart().unwrap();
        assert_eq!(printed(bridge.url(), "select 2"), "2\n");
    }
}
