use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use pgferry_test_support::Stage;

use super::{TRANSPORTS, printed, query, run, run_with};

#[test]
fn parameters_are_sent_as_they_are() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let args = [r"select $1::int + 1, $2::text is null, $3::text, $4::text", "--format=csv", "--no-header"];
        let params = ["-p", "-41", "-p", r"\N", "-p", r"\\N", "--param", "it's; --é"];
        let out = printed(&stage, transport, &[&args[..], &params].concat());
        assert_eq!(out, "-40,t,\\N,it's; --é\n", "{transport}");
    }
}

#[test]
fn files_are_run_statement_by_statement() {
    let stage = Stage::start();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.sql");
    let name = file.to_str().expect("text");
    let script = "\u{feff}-- ; a comment\ncreate table %t (a int);\n\ninsert into %t values (1), (2);\n\n  \
                  insert into %t values ('x');\ninsert into %t values (3);";
    for (transport, table) in TRANSPORTS.into_iter().zip(["t", "u"]) {
        fs::write(&file, script.replace("%t", table)).expect("written");
        let answer = run(&mut query(&stage, transport, &["--file", name]));
        assert_eq!((answer.status, answer.out.as_str()), (Some(1), "CREATE TABLE\nINSERT 0 2\n"), "{}", answer.err);
        let place =
            format!("{name}:6: ERROR:  22P02: invalid input syntax for type integer: \"x\"\nLINE 1: insert into");
        assert!(answer.err.starts_with(&place), "{}", answer.err);
        // Each statement is a transaction of its own, and none ran behind the one that failed.
        assert_eq!(stage.psql(&format!("select array_agg(a) from {table}")), "{1,2}");

        fs::write(&file, script.replace("%t", table).replace("create table", "create table if not exists"))
            .expect("written");
        let answer = run(query(&stage, transport, &["--continue-on-error", "--quiet"]).args(["-f", name]));
        assert_eq!((answer.status, answer.out.as_str()), (Some(1), ""), "{}", answer.err);
        assert_eq!(stage.psql(&format!("select array_agg(a) from {table}")), "{1,2,1,2,3}");
    }
}

#[test]
fn standard_input_is_a_script() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        for args in [&["--format=csv"][..], &["--format=csv", "--file", "-"]] {
            let answer = run_with(&mut query(&stage, transport, args), "select 1 as a;\nselect ';' as b");
            assert_eq!((answer.status, answer.out.as_str()), (Some(0), "a\n1\nb\n;\n"), "{}", answer.err);
        }
        let answer = run_with(&mut query(&stage, transport, &[]), "-- nothing\n;");
        assert_eq!((answer.status, answer.out.as_str()), (Some(0), ""), "{}", answer.err);
    }
}

#[test]
fn one_transaction_is_all_or_nothing() {
    let stage = Stage::start();
    for (transport, table) in TRANSPORTS.into_iter().zip(["t", "u"]) {
        let script =
            format!("create table {table} (a int); insert into {table} values (1); insert into {table} values (1/0)");
        let answer = run(&mut query(&stage, transport, &["--single-transaction", &script]));
        assert_eq!(answer.status, Some(1), "{}", answer.err);
        assert!(answer.err.starts_with("ERROR:  22012: division by zero"), "{}", answer.err);
        assert_eq!(stage.psql(&format!("select to_regclass('{table}') is null")), "t", "{transport}");

        let script = script.replace("1/0", "2").replacen("create", "set local work_mem = '1MB'; create", 1);
        let out = printed(
            &stage,
            transport,
            &["--single-transaction", &format!("{script}; table {table}"), "--format=csv", "-q"],
        );
        assert_eq!(
            (out.as_str(), stage.psql(&format!("select array_agg(a) from {table}")).as_str()),
            ("a\n1\n2\n", "{1,2}")
        );
    }
}

#[test]
fn a_session_lasts_over_websocket() {
    let stage = Stage::start();
    let script =
        "set datestyle = 'German'; begin; create temporary table t as select date '2024-01-02' as d; commit; table t";
    assert_eq!(printed(&stage, "websocket", &["--format=csv", "--no-header", "--quiet", script]), "02.01.2024\n");
}

#[test]
fn notices_are_told() {
    let stage = Stage::start();
    let script = "do $$begin raise notice 'hello' using hint = 'wave'; raise warning e'\\x1b[2J'; end$$";
    let answer = run(&mut query(&stage, "websocket", &[script]));
    assert_eq!((answer.status, answer.out.as_str()), (Some(0), "DO\n"));
    assert!(answer.err.starts_with("NOTICE:  hello\nHINT:  wave\n"), "{}", answer.err);
    assert!(answer.err.contains("\nWARNING:  01000: \\x1B[2J\n"), "{}", answer.err);
}

#[test]
fn notices_are_told_while_the_statement_runs() {
    let stage = Stage::start();
    let script = "do $$begin raise notice 'early'; perform pg_sleep(600); end$$";
    let mut child = query(&stage, "websocket", &[script]).stderr(Stdio::piped()).spawn().expect("the command starts");
    let mut line = String::new();
    let read = BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line);
    child.kill().expect("it still runs");
    child.wait().expect("it ends");
    read.expect("text");
    assert_eq!(line, "NOTICE:  early\n");
}
