//! Statements typed by their text against the same statements typed by declaration, on a real PostgreSQL.

use anyhow::{Context, Result};
use pgferry::{Oid, codec::builtin_name, sql};
use pgferry_test_support::Postgres;

const INT4: Oid = 23;
const INT8: Oid = 20;
const TEXT: Oid = 25;
const INT4S: Oid = 1007;
const TEXTS: Oid = 1009;
const TIMESTAMPTZ: Oid = 1184;
const JSONB: Oid = 3802;

const SCHEMA: &str = "create table t (a int, b text); insert into t values (1, 'one'), (2, 'two'); \
                      create table ruled (a int); create rule r as on insert to ruled do also insert into t values (new.a, 'ruled');";

/// Statements with the types of their parameters and arguments for them.
const STATEMENTS: &[(&str, &[Oid], &str)] = &[
    ("select $1", &[INT8], "1"),
    ("select $1 + $2", &[INT4, INT8], "1, 2"),
    ("select pg_typeof($1 + $2)", &[INT4, INT8], "1, 2"),
    ("select jsonb_build_object('a', $1)", &[INT4], "1"),
    ("select * from unnest($1, $2)", &[INT4S, TEXTS], "'{1,2}', '{a,b}'"),
    ("select $1 is null", &[TEXT], "null"),
    ("select date_trunc('day', $1)", &[TIMESTAMPTZ], "'2024-02-29 12:00+00'"),
    ("select $1[1]", &[INT4S], "'{7,8}'"),
    ("select row_to_json(x) from (select $1, $2 as b) x", &[JSONB, TEXT], "'{}', 'c'"),
    ("select b from t order by a fetch first $1 rows only", &[INT8], "1"),
    ("values ($1), ($2)", &[INT4, INT4], "1, 2"),
    ("table t", &[INT4], "1"),
    ("select a from t where a = $1", &[INT8], "5000000000"),
    ("insert into t values ($1, $2)", &[INT4, TEXT], "3, 'three'"),
    ("insert into t values ($1, $2) returning a, b", &[INT8, TEXT], "3, 'three'"),
    ("insert into t select $1, $2 returning *", &[INT4, TEXT], "3, 'three'"),
    ("insert into t values (1, '') on conflict do nothing", &[INT4], "1"),
    ("update t set b = $1 where a = $2 returning a, b", &[TEXT, INT4], "'x', 1"),
    ("delete from t where a = $1 returning b", &[INT4], "2"),
    (
        "merge into t using (values ($1)) s(x) on t.a = s.x when matched then update set b = $2 when not matched then insert values (s.x, $2)",
        &[INT4, TEXT],
        "1, 'm'",
    ),
    ("select * from t where a = $1 for update", &[INT4], "1"),
    ("with x as (select $1 as y) select y from x", &[INT4], "1"),
    (
        "with recursive n(i) as (select $1 union all select i + 1 from n where i < $2) select i from n",
        &[INT4, INT4],
        "1, 3",
    ),
    ("with recursive as (select $1 as y) select y from recursive", &[INT4], "1"),
    ("with gone as (delete from t where a = $1 returning b) select b from gone", &[INT4], "1"),
    ("with x as (with y as (select $1 as z) select z from y) select z from x", &[INT4], "1"),
    ("(select $1) union (select $2) order by 1", &[INT4, INT4], "2, 1"),
    ("(with x as (select $1 as y) select y from x) union all select $2", &[INT4, INT4], "1, 2"),
    ("((select $1)) limit 1", &[TEXT], "'a'"),
    ("select 1", &[INT4, TEXT], "1, 'surplus'"),
    ("/* $1 */ select '$1', $1 -- $1", &[TEXT], "'a'"),
    ("select lower $1", &[TEXT], "'a'"),
    ("select $1 + nope", &[INT4], "1"),
    ("select $1 ->> 'a'", &[JSONB], "'{\"a\": 5}'"),
];

#[test]
fn a_prologue_means_what_a_declaration_means() -> Result<()> {
    let postgres = Postgres::shared()?;
    let database = postgres.create_database()?;
    postgres.psql_in(&database, SCHEMA)?;
    let mut failed = Vec::new();
    for (text, types, arguments) in STATEMENTS {
        let names: Option<Vec<_>> = types.iter().map(|&oid| builtin_name(oid)).collect();
        let declared = format!("({})", names.context("no name")?.join(", "));
        let typed = sql::typed(text, types)?;
        let outcome = |declared: &str, text: &str| {
            let types = "select parameter_types from pg_prepared_statements";
            let script =
                format!("begin; prepare p{declared} as {text}\n; {types}; execute p({arguments}); table t; rollback");
            match postgres.psql_in(&database, &script) {
                Ok(answer) => answer,
                Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
            }
        };
        let expected = outcome(&declared, text);
        assert_eq!(outcome("", &typed.text), expected, "{}", typed.text);
        if expected.contains("ERROR") {
            failed.push(*text);
        }
    }
    assert_eq!(failed, ["select lower $1", "select $1 + nope"]);
    Ok(())
}

#[test]
fn many_parameters_are_accepted() -> Result<()> {
    let postgres = Postgres::shared()?;
    for count in [1664, 1665, 2000, 32767] {
        let typed = sql::typed("select $1 + 1", &vec![INT4; count])?;
        let counted = postgres.psql(&format!(
            "prepare p as {}; select cardinality(parameter_types) from pg_prepared_statements",
            typed.text
        ))?;
        assert_eq!(counted, count.to_string());
    }
    Ok(())
}

#[test]
fn a_table_with_rules_needs_the_cast_in_place() -> Result<()> {
    let postgres = Postgres::shared()?;
    let database = postgres.create_database()?;
    postgres.psql_in(&database, SCHEMA)?;
    let (text, types) = ("insert into ruled values ($1)", &[INT4]);
    let prologue = sql::typed(text, types)?;
    assert!(prologue.has_prologue());
    let refused = postgres.psql_in(&database, &format!("prepare p as {}; execute p(1)", prologue.text)).unwrap_err();
    assert!(refused.to_string().contains("WITH"), "{refused}");
    let cast = sql::typed_in_place(text, types)?;
    let answer = postgres
        .psql_in(&database, &format!("prepare p as {}; execute p(9); select b from t where a = 9", cast.text))?;
    assert_eq!(answer, "ruled");
    Ok(())
}
