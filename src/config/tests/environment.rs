#[cfg(unix)]
use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use super::{super::*, from_variables};

#[track_caller]
fn error(variables: &[(&str, &str)]) -> String {
    let error = from_variables(variables).unwrap_err();
    assert!(error.is_config());
    error.to_string()
}

#[test]
fn errors_name_the_variable() {
    let host = ("PGHOST", "db.example");
    assert_eq!(error(&[host, ("PGPORT", "many")]), "PGPORT: it is not a number from 1 to 65535");
    assert_eq!(
        error(&[host, ("PGFERRY_TRANSPORT", "tcp")]),
        "PGFERRY_TRANSPORT: \"tcp\" is not a transport: choose \"auto\", \"websocket\" or \"http\""
    );
    assert_eq!(
        error(&[host, ("PGFERRY_HTTP_URL", "ftp://x/")]),
        "PGFERRY_HTTP_URL: the URL must begin with https:// or http://"
    );
    assert_eq!(
        error(&[host, ("PGFERRY_WS_URL", "https://x/")]),
        "PGFERRY_WS_URL: the URL must begin with wss:// or ws://"
    );
    assert_eq!(
        error(&[host, ("PGFERRY_PROVIDER", "x")]),
        "PGFERRY_PROVIDER: \"x\" is not a provider: choose \"neon\", \"planetscale\" or \"other\""
    );
    assert_eq!(
        error(&[("DATABASE_HOST", "db.example"), ("DATABASE_PORT", "0")]),
        "DATABASE_PORT: it is not a number from 1 to 65535"
    );
    assert!(error(&[("PGHOST", "/var/run/postgresql")]).starts_with("PGHOST: a Unix socket is not reached"));
    assert!(error(&[("PGHOST", "one,two")]).starts_with("PGHOST: several hosts"));
    assert_eq!(
        error(&[host, ("PGSSLMODE", "on")]),
        "PGSSLMODE: \"on\" is not one of its values: disable, allow, prefer, require, verify-ca or verify-full"
    );
    assert_eq!(
        error(&[("DATABASE_URL", "mysql://x")]),
        "DATABASE_URL: the URL must begin postgresql:// or postgres://"
    );
    assert_eq!(
        error(&[("DATABASE_URL", "postgresql://u@h:x/")]),
        "DATABASE_URL, the URL's port: it is not a number from 1 to 65535"
    );
    assert_eq!(
        error(&[("DATABASE_URL", "postgresql://u@h/?sslsni=0")]),
        "DATABASE_URL, the URL's parameter `sslsni`: the endpoint is found by SNI, which is always sent: remove it"
    );
}

#[test]
fn late_errors_name_the_variable_too() {
    let config = from_variables(&[
        ("PGHOST", "db.example"),
        ("PGUSER", "app"),
        ("PGOPTIONS", "endpoint=ep-a"),
        ("PGFERRY_WS_URL", "ws://proxy.example/v2"),
    ])
    .unwrap();
    let error = config.endpoint_http().unwrap_err().to_string();
    assert!(error.starts_with("PGOPTIONS: `endpoint=` means something to Neon only"), "{error}");
    let error = config.options("").endpoint_ws().unwrap_err().to_string();
    assert!(error.starts_with("PGFERRY_WS_URL: plain ws: would show everything"), "{error}");
}

#[test]
fn an_environment_without_a_database() {
    let error = error(&[("PGUSER", "app")]);
    for name in ["DATABASE_URL", "PGHOST PGPORT PGDATABASE PGUSER PGPASSWORD", "DATABASE_HOST"] {
        assert!(error.contains(name), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8() {
    let error = Config::from_lookup(|name| (name == "PGPASSWORD").then(|| OsString::from_vec(b"Hunter2\xff".to_vec())))
        .unwrap_err();
    assert_eq!(error.to_string(), "PGPASSWORD: its value is not valid UTF-8");
    assert!(!format!("{error:?}").contains("Hunter2"));
}
