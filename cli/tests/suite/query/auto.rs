//! A script whose transport is left open.

use pgferry_test_support::Stage;

use super::{printed, query, run};

#[test]
fn what_needs_no_session_rides_http() {
    let stage = Stage::start();
    // A notice is what HTTP drops.
    let answer = run(&mut query(&stage, "auto", &["drop table if exists nothing"]));
    assert_eq!((answer.status, answer.out.as_str()), (Some(0), "DROP TABLE\n"));
    assert!(!answer.err.contains("skipping"), "{}", answer.err);
}

#[test]
fn a_script_that_needs_a_session_has_one_from_its_first_statement() {
    let stage = Stage::start();
    let script = "drop table if exists t; create temp table t (a int); insert into t values (7); table t";
    let answer = run(&mut query(&stage, "auto", &["--format=csv", "--no-header", script]));
    assert_eq!((answer.status, answer.out.as_str()), (Some(0), "7\n"), "{}", answer.err);
    assert!(answer.err.contains("skipping"), "{}", answer.err);
    let args = ["--format=csv", "--no-header", "create sequence s; select nextval('s'); select currval('s')"];
    let answer = run(&mut query(&stage, "auto", &args));
    assert_eq!((answer.status, answer.out.as_str()), (Some(0), "1\n1\n"), "{}", answer.err);
    let rolled_back = "begin; create table u (); rollback; select to_regclass('u') is null";
    let answer = run(&mut query(&stage, "auto", &["--format=csv", "--no-header", rolled_back]));
    assert_eq!((answer.status, answer.out.as_str()), (Some(0), "t\n"), "{}", answer.err);
}

#[test]
fn one_endpoint_is_the_transport() {
    let stage = Stage::start();
    let url = stage.url();
    let http_only = url.split("&ws_url").next().expect("a URL").to_owned();
    let answer = run(query(&stage, "auto", &["begin"]).env("DATABASE_URL", &http_only));
    assert_eq!(answer.status, Some(1), "{}", answer.err);
    assert!(answer.err.contains("--transport websocket"), "{}", answer.err);
    let answer =
        run(query(&stage, "auto", &["--format=csv", "--no-header", "select 1"]).env("DATABASE_URL", &http_only));
    assert_eq!((answer.status, answer.out.as_str()), (Some(0), "1\n"), "{}", answer.err);
    assert_eq!(printed(&stage, "auto", &["--format=csv", "--no-header", "select 2"]), "2\n");
}
