//! `pgferry migrate`, on both transports.

use std::{
    fs,
    process::{Command, Output},
};

use pgferry_test_support::Stage;

use crate::PGFERRY;

const TRANSPORTS: [&str; 2] = ["http", "websocket"];

fn migrate(stage: &Stage, arguments: &[&str]) -> Output {
    let output =
        Command::new(PGFERRY).arg("migrate").args(arguments).env("DATABASE_URL", stage.url()).output().unwrap();
    for stream in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(stream).contains(stage.password()), "a password is shown");
    }
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Replaces times, which differ.
fn without_times(text: &str) -> String {
    text.lines().map(|line| line.split(" … ").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn migrations_are_applied_listed_and_reverted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1_a.up.sql"), "create table a ()").unwrap();
    fs::write(folder.path().join("1_a.down.sql"), "drop table a").unwrap();
    fs::write(folder.path().join("2_b_c.up.sql"), "create table b ();\ncreate table c ()").unwrap();
    fs::write(folder.path().join("2_b_c.down.sql"), "drop table b, c").unwrap();
    let source = folder.path().to_str().unwrap();
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let on = ["--transport", transport, "--source", source];
        let migrate = |arguments: &[&str]| migrate(&stage, &[arguments, &on].concat());

        let status = migrate(&["status"]);
        assert_eq!((status.status.code(), text(&status.stdout)), (Some(1), "1  a  pending\n2  b c  pending\n".into()));
        let run = migrate(&["run", "--to", "1"]);
        assert_eq!((run.status.code(), text(&run.stdout)), (Some(0), "1 applied\n".into()), "{}", text(&run.stderr));
        let run = migrate(&["run"]);
        assert_eq!((text(&run.stdout), without_times(&text(&run.stderr))), ("1 applied\n".into(), "2 b c".into()));
        assert_eq!(stage.psql("select to_regclass('a'), to_regclass('b'), to_regclass('c')"), "a|b|c");
        let status = migrate(&["status"]);
        assert_eq!((status.status.code(), text(&status.stdout)), (Some(0), "1  a  applied\n2  b c  applied\n".into()));
        let misspelt = migrate(&["revert", "--to", "20"]);
        assert_eq!(misspelt.status.code(), Some(1));
        assert_eq!(text(&misspelt.stderr), "pgferry: there is no migration 20 to go to\n");
        let revert = migrate(&["revert", "--quiet"]);
        assert_eq!(
            (revert.status.code(), text(&revert.stdout), text(&revert.stderr)),
            (Some(0), String::new(), String::new())
        );
        assert_eq!(text(&migrate(&["revert", "--to", "0"]).stdout), "1 reverted\n");
        assert_eq!(stage.psql("select to_regclass('a') is null and to_regclass('c') is null"), "t");
    }
}

#[test]
fn diesels_folders_go_into_diesels_table() {
    let folder = tempfile::tempdir().unwrap();
    let migration = folder.path().join("2024-01-01-000000_crews");
    fs::create_dir(&migration).unwrap();
    fs::write(migration.join("up.sql"), "create table crews ()").unwrap();
    let stage = Stage::start();
    let run = migrate(&stage, &["run", "--transport", "http", "--source", folder.path().to_str().unwrap()]);
    assert_eq!(text(&run.stdout), "1 applied\n", "{}", text(&run.stderr));
    assert_eq!(stage.psql("select version from __diesel_schema_migrations"), "20240101000000");
}

#[test]
fn a_failure_says_where_and_what() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1_a.sql"), "create table a ();\nselect nothing").unwrap();
    let source = folder.path().to_str().unwrap();
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let run = migrate(&stage, &["run", "--transport", transport, "--source", source]);
        assert_eq!((run.status.code(), text(&run.stdout)), (Some(1), String::new()));
        let complaint = text(&run.stderr);
        assert!(complaint.starts_with("1 a … failed\npgferry: migration 1 failed"), "{complaint}");
        assert_eq!(complaint.matches("column \"nothing\" does not exist (42703)").count(), 1, "{complaint}");
    }
    let stage = Stage::start();
    let nowhere = migrate(&stage, &["run", "--source", "/nowhere/at/all"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(text(&nowhere.stderr).contains("/nowhere/at/all cannot be read"), "{}", text(&nowhere.stderr));
    let nothing = migrate(&stage, &["run", "--transport", "pigeon", "--source", source]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stderr).contains("\"pigeon\" is not a transport"), "{}", text(&nothing.stderr));
}
