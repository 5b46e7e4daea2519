//! Statements whose meaning depends on the types that diesel declares for their parameters.

use std::iter;

use chrono::{DateTime, Utc};
use diesel::{
    connection::SimpleConnection,
    deserialize,
    pg::Pg,
    prelude::*,
    result::{DatabaseErrorKind, Error},
    row::{Field, NamedRow},
    sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Json, Jsonb, Nullable, Text, Timestamptz},
};
use serde_json::json;

use super::{Road, one::One};

super::on_each_road!(
    operators_are_chosen_by_the_declared_types,
    polymorphic_functions_see_the_declared_types,
    arrays_are_taken_apart,
    columns_keep_their_names,
    clauses_take_parameters,
    what_is_wrong_stays_wrong,
    a_search_path_before_pg_catalog_changes_nothing,
    statements_around_a_query_take_parameters,
    common_table_expressions_take_parameters,
    statements_that_write_take_parameters,
    procedures_take_parameters,
    two_thousand_parameters_are_taken,
    surplus_parameters_are_taken,
);

#[diesel::declare_sql_function]
extern "SQL" {
    fn date_trunc(field: Text, moment: Timestamptz) -> Timestamptz;
    fn jsonb_build_object(key: Text, value: BigInt) -> Jsonb;
}

diesel::table! {
    items (id) {
        id -> Integer,
        label -> Nullable<Text>,
    }
}

fn items<R: Road>(road: &R) -> R::Connection {
    let mut connection = road.connect();
    let script = "create table items (id int4 primary key, label text); insert into items values (1, 'one'), (2, 'two'), (3, null)";
    connection.batch_execute(script).unwrap();
    connection
}

fn operators_are_chosen_by_the_declared_types<R: Road>(road: &R) {
    let connection = &mut items(road);
    assert_eq!(diesel::select(1.into_sql::<Integer>() + 2).get_result(connection), Ok(3));
    let sum =
        sql_query("select $1 + $2 as value, $1 / 2 as half").bind::<Integer, _>(7).bind::<BigInt, _>(5_000_000_000_i64);
    assert_eq!(One::<BigInt, i64>::of(sum, connection), Ok(5_000_000_007));
    let too_large = sql_query("select $1 + $2 as value").bind::<Integer, _>(i32::MAX).bind::<Integer, _>(1);
    let error = One::<Integer, i32>::of(too_large, connection).unwrap_err();
    assert_eq!(error.to_string(), "integer out of range");

    for (value, expected) in [(None, true), (Some(1), false)] {
        let is_null = diesel::select(value.into_sql::<Nullable<Integer>>().is_null()).get_result(connection);
        assert_eq!(is_null, Ok(expected));
    }
    let null = sql_query("select $1 is null as value").bind::<Nullable<Jsonb>, Option<serde_json::Value>>(None);
    assert_eq!(One::<Bool, bool>::of(null, connection), Ok(true));

    // Of the column's own type this number would not be.
    let none = sql_query("select id as value from items where id = $1").bind::<BigInt, _>(5_000_000_000_i64);
    assert_eq!(One::<Integer, i32>::of(none, connection), Err(Error::NotFound));
    let found = sql_query("select id as value from items where id = $1").bind::<BigInt, _>(2_i64);
    assert_eq!(One::<Integer, i32>::of(found, connection), Ok(2));
}

fn polymorphic_functions_see_the_declared_types<R: Road>(road: &R) {
    let connection = &mut road.connect();
    let object = diesel::select(jsonb_build_object("a", 5_000_000_000_i64)).get_result(connection);
    assert_eq!(object, Ok(json!({"a": 5_000_000_000_i64})));
    let object = sql_query("select jsonb_build_object('a', $1, 'b', $2, 'c', $3) as value")
        .bind::<Text, _>("1")
        .bind::<Bool, _>(true)
        .bind::<Array<Integer>, _>(vec![1, 2]);
    assert_eq!(One::<Jsonb, _>::of(object, connection), Ok(json!({"a": "1", "b": true, "c": [1, 2]})));

    let moment: DateTime<Utc> = "2024-02-29T23:59:59.999999Z".parse().unwrap();
    let day = diesel::select(date_trunc("day", moment)).get_result(connection);
    assert_eq!(day, Ok("2024-02-29T00:00:00Z".parse::<DateTime<Utc>>().unwrap()));

    let names = sql_query(
        "select concat_ws(',', pg_typeof($1), pg_typeof($2), pg_typeof($3), pg_typeof(coalesce($4, $1))) as value",
    )
    .bind::<Integer, _>(1)
    .bind::<Array<Text>, _>(vec![""])
    .bind::<Json, _>(json!(1))
    .bind::<Nullable<BigInt>, Option<i64>>(None);
    assert_eq!(One::<Text, String>::of(names, connection).as_deref(), Ok("integer,text[],json,bigint"));
}

fn arrays_are_taken_apart<R: Road>(road: &R) {
    #[derive(Debug, PartialEq, QueryableByName)]
    struct Pair {
        #[diesel(sql_type = Nullable<Integer>)]
        a: Option<i32>,
        #[diesel(sql_type = Nullable<Text>)]
        b: Option<String>,
    }

    let connection = &mut road.connect();
    let pairs = sql_query("select a, b from unnest($1, $2) as pairs (a, b)")
        .bind::<Array<Integer>, _>(vec![1, 2])
        .bind::<Array<Nullable<Text>>, _>(vec![Some("x,y"), None, Some("NULL")])
        .load::<Pair>(connection);
    let pair = |a, b: Option<&str>| Pair { a, b: b.map(str::to_owned) };
    assert_eq!(pairs, Ok(vec![pair(Some(1), Some("x,y")), pair(Some(2), None), pair(None, Some("NULL"))]));

    let second = diesel::select(vec![7, 8].into_sql::<Array<Integer>>().index(2)).get_result(connection);
    assert_eq!(second, Ok(8));
    let first = sql_query("select $1[1] as value").bind::<Array<Text>, _>(vec!["a", "b"]);
    assert_eq!(One::<Text, String>::of(first, connection).as_deref(), Ok("a"));
    let any = sql_query("select 2 = any($1) as value").bind::<Array<Integer>, _>(vec![1, 2]);
    assert_eq!(One::<Bool, bool>::of(any, connection), Ok(true));
}

/// The names of a row's columns.
#[derive(Debug, PartialEq)]
struct Names(Vec<String>);

impl QueryableByName<Pg> for Names {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let fields = (0..row.field_count()).map_while(|index| diesel::row::Row::get(row, index));
        Ok(Self(fields.map(|field| field.field_name().unwrap_or_default().to_owned()).collect()))
    }
}

fn columns_keep_their_names<R: Road>(road: &R) {
    let connection = &mut road.connect();
    let names =
        sql_query("select $1, $1 as named, lower($2), $1 + 1, cast($1 as int8), \"x\".* from (select $2, $1) as x")
            .bind::<Integer, _>(1)
            .bind::<Text, _>("A")
            .get_result::<Names>(connection);
    let expected = ["?column?", "named", "lower", "?column?", "int8", "?column?", "?column?"];
    assert_eq!(names, Ok(Names(expected.map(str::to_owned).to_vec())));

    let keys = sql_query("select row_to_json(x) as value from (select $1, $2 as b) as x")
        .bind::<Jsonb, _>(json!({"n": 1}))
        .bind::<Text, _>("c");
    assert_eq!(One::<Json, _>::of(keys, connection), Ok(json!({"?column?": {"n": 1}, "b": "c"})));
}

fn clauses_take_parameters<R: Road>(road: &R) {
    let connection = &mut items(road);
    let ids = |rows: QueryResult<Vec<One<Integer, i32>>>| {
        rows.map(|rows| rows.into_iter().map(|one| one.value).collect::<Vec<_>>())
    };
    let fetched =
        sql_query("select id as value from items order by id fetch first $1 rows only").bind::<BigInt, _>(2_i64);
    assert_eq!(ids(fetched.load(connection)), Ok(vec![1, 2]));
    let limited = items::table.select(items::id).order(items::id).limit(1).offset(2).load::<i32>(connection);
    assert_eq!(limited, Ok(vec![3]));
    let values = sql_query("select column1 as value from (values ($1), ($2)) as given order by 1 desc")
        .bind::<Integer, _>(1)
        .bind::<Integer, _>(2);
    assert_eq!(ids(values.load(connection)), Ok(vec![2, 1]));
    let names = sql_query("values ($1, $2)").bind::<Integer, _>(1).bind::<Text, _>("a").get_result::<Names>(connection);
    assert_eq!(names, Ok(Names(vec!["column1".to_owned(), "column2".to_owned()])));
    let cased = sql_query("select case when $1 then $2 else $3 end as value")
        .bind::<Bool, _>(false)
        .bind::<Integer, _>(1)
        .bind::<BigInt, _>(2_i64);
    assert_eq!(One::<BigInt, i64>::of(cased, connection), Ok(2));
    let union =
        sql_query("(select $1 as value) union all (select $2) order by 1").bind::<Integer, _>(2).bind::<Integer, _>(1);
    assert_eq!(ids(union.load(connection)), Ok(vec![1, 2]));
    let comments = sql_query("/* $2 */ select '$2' || $1 || $q$ $2 $q$ as value -- $2").bind::<Text, _>("é");
    assert_eq!(One::<Text, String>::of(comments, connection).as_deref(), Ok("$2é $2 "));
}

fn what_is_wrong_stays_wrong<R: Road>(road: &R) {
    #[track_caller]
    fn wrong<C: diesel::connection::LoadConnection<Backend = Pg>>(
        query: &str,
        message: &str,
        position: Option<i32>,
        connection: &mut C,
    ) {
        match sql_query(query).bind::<Text, _>("A").execute(connection) {
            Err(Error::DatabaseError(DatabaseErrorKind::Unknown, error)) => {
                assert_eq!((error.message(), error.statement_position()), (message, position), "{query}");
            }
            other => panic!("{query}: {other:?}"),
        }
    }

    let connection = &mut items(road);
    wrong("select lower $1", "syntax error at or near \"$1\"", Some(14), connection);
    wrong("select 'ü', $1, upper(missing)", "column \"missing\" does not exist", Some(23), connection);
    wrong("with x as (select $1) select * from y", "relation \"y\" does not exist", Some(37), connection);
    wrong(
        "update items set missing = $1",
        "column \"missing\" of relation \"items\" does not exist",
        Some(18),
        connection,
    );
    wrong("select length($1) / 0", "division by zero", None, connection);
    wrong("select $1 * 2.5", "operator does not exist: text * numeric", Some(11), connection);
    wrong("select $0 || $1", "there is no parameter $0", Some(8), connection);
}

fn a_search_path_before_pg_catalog_changes_nothing<R: Road>(road: &R) {
    let stage = road.stage();
    stage.psql(
        "create schema own; \
         create domain own.int4 as pg_catalog.text; create domain own.text as pg_catalog.int8; create domain own.jsonb as pg_catalog.text; \
         create function own.lower(pg_catalog.text) returns pg_catalog.text language sql as $$ select 'own'::pg_catalog.text $$; \
         create function own.plus(pg_catalog.int4, pg_catalog.int4) returns pg_catalog.int4 language sql as $$ select 42::pg_catalog.int4 $$; \
         create operator own.+ (leftarg = pg_catalog.int4, rightarg = pg_catalog.int4, function = own.plus); \
         grant usage on schema own to public",
    );
    stage.psql(&format!("alter role app in database {} set search_path = own, pg_catalog, public", stage.database()));
    let connection = &mut road.connect();
    let typed = sql_query("select $1 || $3::pg_catalog.text || pg_typeof($2)::pg_catalog.text as value")
        .bind::<Text, _>("a")
        .bind::<Jsonb, _>(json!({}))
        .bind::<Integer, _>(7);
    assert_eq!(One::<Text, String>::of(typed, connection).as_deref(), Ok("a7pg_catalog.jsonb"));
    let own = sql_query("select lower($1) as value").bind::<Text, _>("A");
    assert_eq!(One::<Text, String>::of(own, connection).as_deref(), Ok("own"));
    assert_eq!(diesel::select(1.into_sql::<Integer>() + 2).get_result(connection), Ok(42));
}

fn statements_around_a_query_take_parameters<R: Road>(road: &R) {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        #[diesel(column_name = "QUERY PLAN")]
        line: String,
    }

    let connection = &mut items(road);
    let plan = sql_query("explain (costs off) select * from items where label = $1")
        .bind::<Text, _>("x")
        .load::<Line>(connection)
        .unwrap();
    let plan: Vec<_> = plan.into_iter().map(|line| line.line).collect();
    assert_eq!(plan, ["Seq Scan on items", "  Filter: (label = 'x'::text)"]);

    let query = "create table copies as select id, $1 as label, $2 as number from items where id > $3";
    let made =
        sql_query(query).bind::<Text, _>("copy").bind::<BigInt, _>(9_i64).bind::<Integer, _>(1).execute(connection);
    assert_eq!(made, Ok(2));
    let shape = "select string_agg(attname || ' ' || format_type(atttypid, null), ', ' order by attnum) as value \
                 from pg_attribute where attrelid = 'copies'::regclass and attnum > 0";
    let shape = One::<Text, String>::of(sql_query(shape), connection);
    assert_eq!(shape.as_deref(), Ok("id integer, label text, number bigint"));
}

fn common_table_expressions_take_parameters<R: Road>(road: &R) {
    let connection = &mut items(road);
    let sum = sql_query(
        "with recursive counted (i) as (select $1 union all select i + 1 from counted where i < $2) select sum(i) as value from counted",
    );
    assert_eq!(One::<BigInt, i64>::of(sum.bind::<Integer, _>(1).bind::<Integer, _>(10), connection), Ok(55));
    let nested = sql_query("with x as (with y as (select $1 as z) select z from y) select z as value from x");
    assert_eq!(One::<Integer, i32>::of(nested.bind::<Integer, _>(1), connection), Ok(1));
    let named = sql_query("with recursive as (select $1 as value) select value from recursive");
    assert_eq!(One::<Integer, i32>::of(named.bind::<Integer, _>(3), connection), Ok(3));
    let gone =
        sql_query("with gone as (delete from items where id = $1 returning label) select label as value from gone");
    assert_eq!(One::<Text, String>::of(gone.bind::<Integer, _>(2), connection).as_deref(), Ok("two"));
    assert_eq!(items::table.count().get_result(connection), Ok(2_i64));
}

fn statements_that_write_take_parameters<R: Road>(road: &R) {
    let connection = &mut items(road);
    let merge = "merge into items using (values ($1), ($2)) as given (id) on items.id = given.id \
                 when matched then update set label = $3 when not matched then insert values (given.id, $3)";
    let merged =
        sql_query(merge).bind::<Integer, _>(3).bind::<Integer, _>(4).bind::<Text, _>("merged").execute(connection);
    assert_eq!(merged, Ok(2));
    let rows =
        items::table.filter(items::label.eq("merged")).order(items::id).load::<(i32, Option<String>)>(connection);
    assert_eq!(rows, Ok([3, 4].map(|id| (id, Some("merged".to_owned()))).to_vec()));

    // A table with a rule takes no WITH in front.
    let rule = "create table inbox (id int4, label text); create rule pass_on as on insert to inbox do instead insert into items values (new.id, new.label)";
    connection.batch_execute(rule).unwrap();
    let passed = sql_query("insert into inbox values ($1, $2)")
        .bind::<Integer, _>(5)
        .bind::<Text, _>("ruled")
        .execute(connection);
    assert_eq!(passed, Ok(1));
    assert_eq!(items::table.find(5).select(items::label).first(connection), Ok(Some("ruled".to_owned())));
}

fn procedures_take_parameters<R: Road>(road: &R) {
    let connection = &mut items(road);
    connection
        .batch_execute(
            "create procedure rename_item(int4, text) language sql as $$ update items set label = $2 where id = $1 $$; \
             create procedure twice(inout value int8) language plpgsql as $$ begin value := value * 2; end $$",
        )
        .unwrap();
    let called =
        sql_query("call rename_item($1, $2)").bind::<Integer, _>(1).bind::<Text, _>("renamed").execute(connection);
    assert_eq!(called, Ok(0));
    assert_eq!(items::table.find(1).select(items::label).first(connection), Ok(Some("renamed".to_owned())));
    let doubled = sql_query("call twice($1)").bind::<BigInt, _>(3_000_000_000_i64);
    assert_eq!(One::<BigInt, i64>::of(doubled, connection), Ok(6_000_000_000));
}

fn two_thousand_parameters_are_taken<R: Road>(road: &R) {
    let connection = &mut items(road);
    let rows: Vec<_> = (1001..2001).map(|id| (items::id.eq(id), items::label.eq(format!("item {id}")))).collect();
    assert_eq!(diesel::insert_into(items::table).values(&rows).execute(connection), Ok(1000));
    assert_eq!(items::table.find(2000).select(items::label).first(connection), Ok(Some("item 2000".to_owned())));

    let list =
        iter::successors(Some(1), |n| Some(n + 1)).take(2000).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let mut query = sql_query(format!("select count(*) as value from items where id in ({list})")).into_boxed::<Pg>();
    for id in 1..=2000 {
        query = query.bind::<Integer, _>(id);
    }
    assert_eq!(One::<BigInt, i64>::of(query, connection), Ok(1003));
}

fn surplus_parameters_are_taken<R: Road>(road: &R) {
    let connection = &mut road.connect();
    let query =
        sql_query("select $2 as value").bind::<Text, _>("surplus").bind::<Integer, _>(2).bind::<Jsonb, _>(json!(3));
    assert_eq!(One::<Integer, i32>::of(query, connection), Ok(2));
    assert_eq!(sql_query("select 1").bind::<Integer, _>(1).execute(connection), Ok(1));
}
