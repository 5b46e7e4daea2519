//! Statements whose meaning depends on their parameters' types, compared with sqlx over TCP.

use sqlx::{
    AssertSqlSafe, Column, PgPool, Postgres, Row, TypeInfo, ValueRef,
    postgres::{PgArguments, PgDatabaseError, PgErrorPosition},
    query::Query,
};

use super::Road;
use pgferry_test_support::Stage;

type Bound = Query<'static, Postgres, PgArguments>;

/// What of an execution a program can see: each row's columns, types and bytes, or the error.
async fn outcome(pool: &PgPool, text: &str, bind: impl Fn(Bound) -> Bound) -> String {
    let query = bind(sqlx::query(AssertSqlSafe(text.to_owned())));
    match query.fetch_all(pool).await {
        Ok(rows) => {
            let mut seen = String::new();
            for row in &rows {
                for column in row.columns() {
                    let value = row.try_get_raw(column.ordinal()).unwrap();
                    let bytes = (!value.is_null()).then(|| value.as_bytes().unwrap().to_vec());
                    seen.push_str(&format!("{}:{}={bytes:?} ", column.name(), column.type_info().name()));
                }
                seen.push('\n');
            }
            seen
        }
        Err(sqlx::Error::Database(error)) => {
            let error = error.downcast_ref::<PgDatabaseError>();
            let position = match error.position() {
                Some(PgErrorPosition::Original(position)) => position,
                _ => 0,
            };
            format!("{} {} at {position}", error.code(), error.message())
        }
        Err(error) => format!("{error}"),
    }
}

/// Runs a statement on each road and expects what TCP gives.
async fn expect_same(stage: &Stage, text: &str, bind: impl Fn(Bound) -> Bound) -> String {
    let expected = outcome(&Road::Tcp.pool(stage).await, text, &bind).await;
    for road in Road::FERRIED {
        assert_eq!(outcome(&road.pool(stage).await, text, &bind).await, expected, "{road:?}: {text}");
    }
    expected
}

const SCHEMA: &str = "create table small (id int4 primary key, name text); insert into small values (1, 'one'), (2, 'two'); \
    create procedure twice(inout i int) language plpgsql as $$ begin i := i * 2; end $$;";

#[tokio::test]
async fn statements_mean_the_same_as_over_tcp() {
    let stage = Stage::start();
    sqlx::raw_sql(SCHEMA).execute(&Road::Tcp.pool(&stage).await).await.unwrap();
    let numbers = |query: Bound| query.bind(40_i64).bind(2_i32);
    let number = |query: Bound| query.bind(2_i32);
    let large = |query: Bound| query.bind(5_000_000_000_i64);
    let text = |query: Bound| query.bind("a");
    let nothing = |query: Bound| query;
    assert!(expect_same(&stage, "select $1 + $2", numbers).await.contains("INT8"));
    expect_same(&stage, "select jsonb_build_object('a', $1)", number).await;
    expect_same(&stage, "select $1", number).await;
    expect_same(&stage, "select $1 is null", text).await;
    expect_same(&stage, "select row_to_json(x) from (select $1, $2 as b) as x", numbers).await;
    expect_same(&stage, "select * from generate_series(1, 9) fetch first $1 rows only", large).await;
    expect_same(&stage, "values ($1), ($1)", number).await;
    expect_same(&stage, "select id from small where id = $1", large).await;
    expect_same(&stage, "select id, name from small where id = $1 for update", number).await;
    expect_same(&stage, "explain (costs off) select * from small where id = $1", number).await;
    expect_same(
        &stage,
        "with recursive n(i) as (select $1 union all select i + 1 from n where i < 5) select i from n",
        number,
    )
    .await;
    expect_same(
        &stage,
        "merge into small using (values ($1)) as s(x) on small.id = s.x when matched then update set name = name",
        number,
    )
    .await;
    expect_same(&stage, "call twice($1)", number).await;
    expect_same(&stage, "update small set name = name where id = $1 returning *", number).await;
    // What fails does so in the same words and at the same place.
    assert!(expect_same(&stage, "select lower $1", text).await.starts_with("42601"));
    assert!(expect_same(&stage, "select $1 + nonsense", number).await.starts_with("42703"));
    assert!(expect_same(&stage, "select nonsense", nothing).await.starts_with("42703"));
    assert!(
        expect_same(&stage, "insert into small values ($1, $2)", |query| query.bind(1_i32).bind("again"))
            .await
            .starts_with("23505")
    );
}

#[tokio::test]
async fn arrays_and_times_mean_the_same_as_over_tcp() {
    use chrono::{DateTime, Utc};

    let stage = Stage::start();
    let lists = |query: Bound| query.bind(vec![1_i32, 2]).bind(vec![Some("a".to_owned()), None]);
    let list = |query: Bound| query.bind(vec![7_i32, 8]);
    let moment = |query: Bound| query.bind("2024-02-29T12:34:56.789+05:45".parse::<DateTime<Utc>>().unwrap());
    expect_same(&stage, "select * from unnest($1, $2) as pairs(a, b)", lists).await;
    expect_same(&stage, "select $1[1]", list).await;
    expect_same(&stage, "select date_trunc('day', $1)", moment).await;
    expect_same(&stage, "select $1 - interval '1 day 2 hours'", moment).await;
}

#[tokio::test]
async fn two_thousand_parameters_are_carried() {
    let stage = Stage::start();
    let list: Vec<_> = (1..=2000).map(|number| format!("(${number})")).collect();
    let text = format!("select sum(x), count(*), min(pg_typeof(x)::text) from (values {}) as list(x)", list.join(", "));
    let bind = |query: Bound| (0..2000_i32).fold(query, |query, number| query.bind(number));
    let seen = expect_same(&stage, &text, bind).await;
    assert!(seen.starts_with("sum:INT8"), "{seen}");
}

#[tokio::test]
async fn a_statement_that_makes_a_table_takes_parameters_as_over_tcp() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        sqlx::raw_sql("drop table if exists made").execute(&pool).await.unwrap();
        let made = sqlx::query("create table made as select $1 as a").bind(7_i64).execute(&pool).await;
        // Over TCP too a utility statement takes none but where it is planned.
        assert_eq!(made.unwrap().rows_affected(), 1, "{road:?}");
        let kept: i64 = sqlx::query_scalar("select a from made").fetch_one(&pool).await.unwrap();
        assert_eq!(kept, 7, "{road:?}");
    }
}

#[tokio::test]
async fn a_role_whose_own_functions_come_first_gets_the_same() {
    let stage = Stage::start();
    let control = Road::Tcp.pool(&stage).await;
    sqlx::raw_sql(
        "create schema own; create function own.lower(text) returns text language sql as $$ select 'own ' || $1 $$;
         create domain own.int4 as text; create function own.current_setting(text) returns text language sql as $$ select 'own' $$",
    )
    .execute(&control)
    .await
    .unwrap();
    stage.psql(&format!("alter role app in database {} set search_path = own, pg_catalog, public", stage.database()));
    let text = |query: Bound| query.bind("A");
    let number = |query: Bound| query.bind(1_i32);
    assert!(expect_same(&stage, "select lower($1)", text).await.contains("TEXT"));
    expect_same(&stage, "select $1 + 1", number).await;
    expect_same(&stage, "select 'x'::int4, $1", number).await;
}
