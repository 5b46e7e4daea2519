//! What the command says, and what it keeps to itself.

use std::{fs, os::unix::fs::PermissionsExt};

use pgferry_test_support::Stage;

use super::{Bridge, TRANSPORTS, bridge, clean, client, printed, succeeds};
use crate::{PGFERRY, running::Running};

#[test]
fn it_prints_a_url_and_its_parts() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let bridge = Bridge::start(&stage, transport);
        let [host, port, user, password, database] =
            ["host", "port", "user", "password", "dbname"].map(|name| bridge.line(name));
        assert_eq!((host, user, database), ("127.0.0.1", "app", stage.database()));
        assert_eq!(bridge.url(), format!("postgresql://app:{password}@127.0.0.1:{port}/{database}?sslmode=disable"));
        assert_ne!(password, stage.password(), "the bridge has a password of its own");
        assert_eq!(printed(bridge.url(), "select current_user, current_database()"), format!("app|{database}\n"));
        // The parts are what libpq calls them.
        let mut psql = client("psql");
        let parts =
            [format!("host={host}"), format!("port={port}"), format!("user={user}"), format!("dbname={database}")];
        psql.args(["-XAtq", "-c", "select 1", "-d", &parts.join(" ")]).env("PGPASSWORD", password);
        assert_eq!(succeeds(&psql.output().unwrap()), "1\n");
    }
}

#[test]
fn names_are_encoded() {
    let stage = Stage::start();
    stage.psql("create role \"we ird/@\" login password 'p'; create database \"d%?b\" owner \"we ird/@\"");
    let url = stage.gateway().ferry(&stage.postgres().url_for("we ird/@", "p", "d%?b"));
    let bridge = Bridge::with(bridge(&url, &[]).env("PGFERRY_BRIDGE_PASSWORD", "pass word%"));
    assert_eq!(["user", "password", "dbname"].map(|name| bridge.line(name)), ["we ird/@", "pass word%", "d%?b"]);
    assert_eq!(printed(bridge.url(), "select current_user, current_database()"), "we ird/@|d%?b\n");
    drop(bridge);
    stage.psql("drop database \"d%?b\"");
    stage.psql("drop role \"we ird/@\"");
}

#[test]
fn a_password_file_is_written_once_and_read_from_then_on() {
    let stage = Stage::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let path = file.to_str().unwrap();
    let start = || Bridge::with(&mut bridge(&stage.url(), &["--password-file", path]));
    let first = start().line("password").to_owned();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{first}\n"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(start().line("password"), first);

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let (status, said) = Running::start(&mut bridge(&stage.url(), &["--password-file", path])).wait();
    assert_eq!(status.code(), Some(2));
    assert!(said.contains("chmod 600") && !said.contains(&first), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn no_password_is_in_the_list_of_processes() {
    let stage = Stage::start();
    let mut command = clean(PGFERRY);
    command.args(["bridge", "--no-env-file", "--listen", "localhost:0", &stage.url()]);
    let bridge = Bridge::with(&mut command);
    let command_line = fs::read(format!("/proc/{}/cmdline", bridge.running.id())).unwrap();
    let command_line = String::from_utf8_lossy(&command_line);
    assert!(command_line.contains("//app@"), "{command_line}");
    for password in [stage.password(), bridge.line("password")] {
        assert!(!command_line.contains(password), "{command_line}");
    }
}
