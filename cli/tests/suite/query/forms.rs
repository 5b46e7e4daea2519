use std::process::Command;

use pgferry_test_support::Stage;
use serde_json::{Deserializer, Value, json};

use super::{TRANSPORTS, printed, query, run};

/// Values of many types, null, an empty text, and what CSV must quote.
const VALUES: &str = "select 1::int2 as small, -2 as \"Int\", 9007199254740993 as big, 1.10 as exact, 1e300::float8 as f, true as b, \
     null::text as nothing, '' as empty, 'a,\"b\"' as quoted, 'x y' as plain, '{1,NULL}'::int[] as a, '\\x00ff'::bytea as bytes, \
     '2024-01-02'::date as day, '\\.' as dot union all select null, null, null, null, null, null, 'é', ' ', e'\\r', '漢字', null, null, \
     null, null";

#[test]
fn csv_is_what_copy_writes() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        for statement in [
            VALUES,
            "select e'two\\nlines' as \"a \"\"name\"\", quoted\", 2",
            r"select '\.' union all select null union all select ''",
            "select 1 where false",
            "select 1 as a, 2 as a",
        ] {
            let expected = stage.psql(&format!("copy ({}) to stdout (format csv, header)", without_twins(statement)));
            let csv = printed(&stage, transport, &["--format", "csv", statement]);
            assert_eq!(
                csv.strip_suffix('\n'),
                Some(expected.replace("a,twin", "a,a").as_str()),
                "{transport} {statement}"
            );
        }
        assert_eq!(printed(&stage, transport, &["--format=csv", "--no-header", "select 1, null, ''"]), "1,,\"\"\n");
    }
}

/// COPY takes two columns of one name only under two.
fn without_twins(statement: &str) -> String {
    statement.replace("2 as a", "2 as twin")
}

#[test]
fn tables_are_aligned_as_psql_does_it() {
    const SCRIPT: &str = "select 1 as a, 'text' as b, null as nothing, 12.5 as number, true as yes;
        select n as \"a long name\", repeat('x', n) as x, '漢字' as wide from generate_series(9, 11) n;
        select n, -n::bigint, n * 1.5, n::oid, 'é' from generate_series(1, 3) n;
        select e'tab\\t.' as t, e'\\x1b[31m' as escape, e'\\r' as cr;
        select 1 as empty where false;
        select from generate_series(1, 2);
        select e'a\\n\\nlong' as x, 1 as n, e'12\\n3' as \"of lines\" union all select 'a\\nb', 22, e'c\\n' union all select e'\\nx', null, 'y';
        create table t (a int);
        insert into t select n from generate_series(1, 5) n;
        update t set a = a + 1 where a > 3;
        delete from t;
        drop table t;";
    let expected = psql(&Stage::start(), SCRIPT);
    for transport in TRANSPORTS {
        assert_eq!(trimmed(&printed(&Stage::start(), transport, &[SCRIPT])), trimmed(&expected), "{transport}");
    }
}

#[test]
fn values_of_many_lines_stay_in_their_cells() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let out = printed(&stage, transport, &["select 1 as n, e'a\nb' as text"]);
        assert_eq!(trimmed(&out), "n | text\n---+------\n 1 | a   +\n   | b\n(1 row)\n\n");
        let out = printed(&stage, transport, &["--expanded", "select 1 as n, e'a\nb' as text, null as \"long name\""]);
        assert_eq!(out, "-[ RECORD 1 ]-\nn         | 1\ntext      | a+\n          | b\nlong name | NULL\n\n");
        let out = printed(&stage, transport, &["--no-header", "--null", "∅", "select 1, null"]);
        assert_eq!(out, "        1 | ∅\n", "{transport}");
        // Wider than what the library can count.
        let out = printed(&stage, transport, &["select repeat('é', 100000) as long"]);
        assert_eq!(out.matches('é').count(), 100_000);
    }
}

#[test]
fn rows_beyond_the_look_ahead_lose_nothing() {
    let stage = Stage::start();
    let statement =
        "select n, case when n > 2000 then repeat('x', 50) else 'y' end as t from generate_series(1, 2500) n";
    for transport in TRANSPORTS {
        let out = printed(&stage, transport, &[statement]);
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(lines.len(), 2 + 2500 + 2);
        for (n, line) in (1..).zip(&lines[2..2502]) {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            assert_eq!(cells, [n.to_string(), if n > 2000 { "x".repeat(50) } else { "y".to_owned() }], "{line}");
        }
        assert_eq!(lines[2502..], ["(2500 rows)", ""]);
    }
}

#[test]
fn json_loses_no_digit_and_no_column() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let out = printed(&stage, transport, &["--format", "json", VALUES]);
        let rows: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
        assert_eq!(
            rows[0],
            json!({
                "small": 1, "Int": -2, "big": "9007199254740993", "exact": "1.10", "f": 1e300, "b": true, "nothing": null,
                "empty": "", "quoted": "a,\"b\"", "plain": "x y", "a": "{1,NULL}", "bytes": "\\x00ff", "day": "2024-01-02",
                "dot": "\\."
            })
        );
        let statement =
            "select 1 as a, 2 as a, 3 as a_2, 'NaN'::float8 as f, e'{\"k\":\\n 12345678901234567890}'::json as j";
        assert_eq!(
            printed(&stage, transport, &["--format", "jsonl", statement]),
            "{\"a\":1,\"a_3\":2,\"a_2\":3,\"f\":\"NaN\",\"j\":{\"k\":  12345678901234567890}}\n"
        );
        let out = printed(
            &stage,
            transport,
            &["--format", "json", "--quiet", "select 1 as a where false; select 2 as b; select"],
        );
        let arrays: Vec<Value> = Deserializer::from_str(&out).into_iter().map(|value| value.expect("JSON")).collect();
        assert_eq!(arrays[..2], [json!([]), json!([{"b": 2}])]);
    }
}

#[test]
fn results_go_where_they_are_told() {
    let stage = Stage::start();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("out.csv");
    let name = file.to_str().expect("text");
    for transport in TRANSPORTS {
        let args = ["--format", "csv", "--output", name, "--timing", "create temporary table t (); select 1 as a"];
        let args =
            if transport == "http" { [args[0], args[1], args[2], args[3], args[4], "select 1 as a"] } else { args };
        let answer = run(&mut query(&stage, transport, &args));
        assert_eq!((answer.status, answer.out.as_str()), (Some(0), ""), "{}", answer.err);
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), "a\n1\n");
        assert!(answer.err.lines().any(|line| line.starts_with("Time: ") && line.ends_with(" ms")), "{}", answer.err);
        // What is no row is not among the rows.
        assert_eq!(answer.err.contains("CREATE TABLE\n"), transport == "websocket", "{}", answer.err);
    }
}

fn psql(stage: &Stage, script: &str) -> String {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--pset=null=NULL", "--pset=pager=off", "--dbname", &stage.postgres_url()]);
    let answer = super::run_with(command.env("PGCLIENTENCODING", "UTF8"), script);
    assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""));
    answer.out
}

/// Without what differs from psql: it fills its last column with spaces, and where a name cannot stand in the middle it stands
/// one to the left.
fn trimmed(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(str::trim_end).collect();
    let is_rule = |line: &&str| !line.is_empty() && line.bytes().all(|byte| matches!(byte, b'-' | b'+'));
    let shown = lines.iter().enumerate().map(|(index, line)| match lines.get(index + 1) {
        Some(next) if is_rule(next) => line.split('|').map(str::trim).collect::<Vec<_>>().join(" | "),
        _ => (*line).to_owned(),
    });
    shown.collect::<Vec<_>>().join("\n")
}
