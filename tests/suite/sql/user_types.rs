//! Parameters of types that are not built in, named in the text, against the same declared by PREPARE.

use std::borrow::Cow;

use pgferry::sql::typed_with;
use pgferry_test_support::Stage;

const SCHEMA: &str = r#"
    create schema "a.b"; create type "a.b"."my ""Type""" as enum ('x', 'y');
    create domain small as int4 check (value < 10); create domain smaller as small check (value < 5);
    create domain code as char(3); create domain price as numeric(5, 1);
    create type pair as (n int4, s small); create type "int4%TYPE" as (n int4); create type "$1" as enum ('a');
    create schema shadow; create type shadow.int4 as enum ('a');"#;

/// A type as a cast takes it, a value, and a statement with the parameter `$1`.
const CASES: &[(&str, &str, &str)] = &[
    (r#""a.b"."my ""Type""""#, "x", "select $1, pg_typeof($1)"),
    (r#""a.b"."my ""Type""""#, "z", "select $1"),
    (r#""a.b"."my ""Type""""#, "x", "select $1 = 'y', $1 < 'y'"),
    (r#""a.b"."_my ""Type""""#, "{x,y}", "select $1[2], pg_typeof($1)"),
    (r#""public"."small""#, "9", "select $1, pg_typeof($1)"),
    (r#""public"."small""#, "10", "select 1"),
    (r#""public"."small""#, "10", "select $1"),
    (r#""public"."smaller""#, "7", "select $1 + 1"),
    (r#""public"."_small""#, "{1,20}", "select $1"),
    (r#""public"."code""#, "abcd", "select $1"),
    (r#""public"."code""#, "ab", "select $1 || '!'"),
    (r#""public"."price""#, "1.25", "select $1"),
    (r#""public"."price""#, "123456", "select $1"),
    (r#""public"."pair""#, "(1,2)", "select ($1).n, ($1).s, $1"),
    (r#""public"."pair""#, "(1,20)", "select $1"),
    (r#""public"."_pair""#, r#"{"(1,2)"}"#, "select ($1[1]).s, * from unnest($1)"),
    (r#""public"."int4%TYPE""#, "(1)", "select $1, ($1).n"),
    (r#""public"."$1""#, "a", "select $1, pg_typeof($1)"),
    ("pg_catalog.int4", "1", "select $1, pg_typeof($1)"),
    ("pg_catalog.bit", "101", "select $1, length($1)"),
    ("pg_catalog.bpchar", "abc  ", "select $1, octet_length($1)"),
    ("pg_catalog.varchar", "abcdef", "select $1"),
    ("pg_catalog.\"char\"", "abc", "select $1, pg_typeof($1)"),
    ("pg_catalog.interval", "1 day 02:03:04.123456", "select $1"),
    ("pg_catalog.time", "01:02:03.123456", "select $1, pg_typeof($1)"),
    ("pg_catalog.timestamp", "2024-02-29 01:02:03.123456", "select $1, pg_typeof($1)"),
    ("pg_catalog.numeric", "1.2300", "select $1"),
];

#[test]
fn a_name_in_the_text_means_what_a_declaration_means() {
    let stage = Stage::start();
    stage.psql(SCHEMA);
    for (name, value, text) in CASES {
        let typed = typed_with(text, &[100_000], |_| Some(Cow::Borrowed(*name))).unwrap();
        assert!(typed.has_prologue());
        // EXECUTE would coerce its argument to the declared type by an assignment, so that a null shows the rest.
        for argument in [format!("'{value}'"), "null".to_owned()] {
            let run = |declared: &str, text: &str| {
                let script = format!(
                    "set search_path = shadow, pg_catalog, public; prepare p{declared} as {text}\n;
                     select parameter_types from pg_prepared_statements; execute p({argument})"
                );
                stage.postgres().psql_in(stage.database(), &script).map_err(|error| {
                    // The line that quotes the statement is another.
                    error.to_string().lines().next().map(str::to_owned).unwrap_or_default()
                })
            };
            assert_eq!(run("", &typed.text), run(&format!("({name})"), text), "{name} {argument} {text}");
        }
    }
}
