//! What HTTP cannot carry: psql is told what to do instead, and goes on.

use pgferry_test_support::Stage;

use super::{Bridge, printed, script};

#[test]
fn what_needs_a_session_is_refused_with_its_remedy() {
    let stage = Stage::start();
    let bridge = Bridge::start(&stage, "http");
    printed(bridge.url(), "create table t (v text)");
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    for command in [
        "begin;".to_owned(),
        "savepoint s;".to_owned(),
        format!("\\copy t to '{path}'"),
        format!("\\copy t from '{path}'"),
        "copy t to stdout;".to_owned(),
        "copy t from stdin;\n\\.".to_owned(),
        "listen tidings;".to_owned(),
        "set search_path = x;".to_owned(),
        "prepare p as select 1;".to_owned(),
        "execute p;".to_owned(),
        "declare c cursor with hold for select 1;".to_owned(),
        "create temp table scratch ();".to_owned(),
        "select pg_advisory_lock(1);".to_owned(),
        "\\set FETCH_COUNT 2\nselect 1;\n\\set FETCH_COUNT 0".to_owned(),
    ] {
        let printed = script(bridge.url(), &format!("{command}\nselect 'still here';\n"));
        assert!(printed.contains("ERROR:") && printed.contains("transport=websocket"), "{command} {printed}");
        assert!(printed.contains("still here"), "{command} {printed}");
    }
}

#[test]
fn a_script_is_not_half_a_transaction() {
    let stage = Stage::start();
    let bridge = Bridge::start(&stage, "http");
    printed(bridge.url(), "create table t (v int)");
    let mut psql = super::psql(bridge.url());
    psql.args(["--set", "ON_ERROR_STOP=1"]);
    let output = super::feed(&mut psql, "begin;\ninsert into t values (1);\ncommit;\n");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(stage.psql("select count(*) from t"), "0");
}

#[test]
fn statements_and_catalogues_need_no_session() {
    let stage = Stage::start();
    let bridge = Bridge::start(&stage, "http");
    printed(bridge.url(), "create table t (id serial primary key, v text); comment on table t is 'one'");
    let described =
        printed(bridge.url(), "insert into t (v) values ('x') returning id;\n\\d\n\\d t\n\\dt+\n\\df now\n\\l\n\\du\n");
    for words in ["public|t|table|app", "nextval('t_id_seq'::regclass)", "|one", "pg_catalog|now"] {
        assert!(described.contains(words), "{words} {described}");
    }
    assert_eq!(printed(bridge.url(), "select 1 \\; select v from t"), "1\nx\n");
    assert_eq!(printed(bridge.url(), "select current_database() as d, 1::int8 as n \\gdesc\n"), "d|name\nn|bigint\n");
    assert_eq!(printed(bridge.url(), "\\c postgres\nselect current_database()"), "postgres\n");
}
