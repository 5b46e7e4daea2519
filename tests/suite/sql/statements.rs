//! Statements with declared parameters: over TCP by sqlx, which declares them to the server, and over HTTP.

use pgferry::http::{Client, Param};
use pgferry_test_support::Stage;
use sqlx::{
    Column, Connection, PgConnection, Row,
    postgres::{PgDatabaseError, PgErrorPosition},
};

const SCHEMA: &str = "
    create table t (a int4 primary key, b text); insert into t values (1, 'one'), (2, 'two');
    create table ruled (a int4); create table log (a int4);
    create rule r as on insert to ruled do also insert into log values (new.a);
    create table named (a int4);
    create rule n as on insert to named do also
        insert into log with \"_pgferry\" as (select 6 as x) select x from \"_pgferry\";
    create view simple as select a, b from t; create view instead as select a, b from t;
    create rule i as on insert to instead do instead insert into t values (new.a, new.b) returning a, b;
    create table parts (a int4) partition by list (a); create table part partition of parts default;
    create table _pgferry (x int4); insert into _pgferry values (5);
    create procedure twice(inout x int4) language plpgsql as $$ begin x := x * 2; end $$;
    create procedure keep(a int4, b text) language sql as $$ insert into t values (a, b) $$;
    create function plain(text) returns text language sql as 'select $1';
    create table seen (a bigint);
    create function look() returns trigger language plpgsql as
        $$ begin insert into seen select count(*) from added; return null; end $$;
    create table watched (a int4);
    create trigger look after insert on watched referencing new table as added for each statement execute function look();
    grant all on all tables in schema public to app;";

#[derive(Clone, Copy)]
enum Value {
    Int(i32),
    Text(&'static str),
}
use Value::{Int, Text};

const STATEMENTS: &[(&str, &[Value])] = &[
    // EXPLAIN and whatever else stands before a query.
    ("explain select $1", &[Int(1)]),
    ("explain verbose select a from t where a = $1", &[Int(1)]),
    ("explain (costs off, format json) select $1 as x", &[Int(1)]),
    ("explain (select $1)", &[Int(1)]),
    ("explain ((select $1) union all (select $1))", &[Int(1)]),
    ("explain (values ($1))", &[Int(1)]),
    ("explain (costs off) declare c cursor for select $1", &[Int(1)]),
    ("explain create table made as select $1", &[Int(1)]),
    ("explain (costs off) merge into t using (values ($1)) v (x) on a = x when matched then delete", &[Int(1)]),
    ("explain (", &[Int(1)]),
    ("create table made1 as select $1 as x, $2 as y", &[Int(1), Text("y")]),
    ("create table made2 (q) with (fillfactor = 50) as (select $1)", &[Int(1)]),
    ("create table if not exists made3 as with x as (select $1 as y) select y from x with no data", &[Int(1)]),
    ("create unlogged table made4 as values ($1)", &[Int(1)]),
    ("create materialized view made5 as select $1", &[Int(1)]),
    ("create materialized view made6 as select 1 as x", &[Int(1)]),
    ("select $1 as x into made7 from t", &[Int(1)]),
    // WITH in all places.
    ("((with x as (select $1 as y) select y from x)) limit 1", &[Int(1)]),
    ("((with x as (select $1 as y) select y from x) union select $2) order by 1", &[Int(1), Int(2)]),
    ("with x as (select 1) (with y as (select $1) select * from y)", &[Int(1)]),
    ("with x (a, b) as not materialized (select $1, $2) select * from x", &[Int(1), Text("b")]),
    (
        "with recursive r (n) as (values ($1) union all select n + 1 from r where n < $2) search depth first by n set o select * from r",
        &[Int(1), Int(3)],
    ),
    (
        "with recursive r (n) as (values ($1) union all select n % 3 + 1 from r) cycle n set c using p select n from r",
        &[Int(1)],
    ),
    ("with recursive a as (select * from b), b as (select $1 as z) select * from a", &[Int(1)]),
    ("with a as (select * from b), b as (select 1) select $1 from a", &[Int(1)]),
    ("with a as (select 1), a as (select 2) select $1", &[Int(1)]),
    ("with recursive (x) as (select $1) select * from recursive", &[Int(1)]),
    ("with select 1", &[Int(1)]),
    ("with", &[Int(1)]),
    ("insert into t with x as (select $1 as v) select v, $2 from x returning *", &[Int(10), Text("x")]),
    ("with x as (select $1 as v) insert into t select v, 'x' from x returning *", &[Int(11)]),
    (
        "insert into t values ($1, $2) on conflict (a) do update set b = excluded.b || $3 returning b",
        &[Int(1), Text("x"), Text("y")],
    ),
    ("with x as (select 1) update t set b = $1 from x where a = $2 returning b", &[Text("z"), Int(2)]),
    (
        "with x as (select $1 as k) merge into t using x on a = k when matched then update set b = $2",
        &[Int(2), Text("m")],
    ),
    ("with x as (select 1) table t", &[Int(1)]),
    // What is looked up by name, locked or rewritten.
    ("select x from _pgferry where x = $1", &[Int(5)]),
    ("select x from _PGFERRY where x = $1", &[Int(5)]),
    ("with \"_pgferry\" as (select $1 as x) select * from U&\"\\005fpgferry\"", &[Int(5)]),
    ("select a from t where a = $1 for update skip locked", &[Int(1)]),
    ("update simple set b = $1 where a = $2 returning *", &[Text("u"), Int(1)]),
    ("insert into instead values ($1, $2) returning *", &[Int(31), Text("u")]),
    ("insert into ruled values ($1)", &[Int(7)]),
    ("insert into named values ($1) returning a", &[Int(7)]),
    ("insert into ruled select $2", &[Int(7), Int(8)]),
    ("insert into parts values ($1) returning *", &[Int(1)]),
    ("insert into watched values ($1)", &[Int(1)]),
    ("select $1 collate \"C\"", &[Text("x")]),
    ("select b from t order by a offset $1 rows fetch next $2 rows only", &[Int(0), Int(1)]),
    // CALL.
    ("call twice($1)", &[Int(4)]),
    ("call twice(x => $2)", &[Int(3), Int(4)]),
    ("call keep($3, $1)", &[Text("x"), Int(1), Int(99)]),
    ("call twice($1)", &[Text("4")]),
    ("call twice(nope)", &[Int(4)]),
    ("call nosuch($1, $1)", &[Int(4)]),
    // What takes no parameters, or not those.
    ("create view made8 as select $1", &[Int(1)]),
    ("create view made9 as select 1 as x", &[Int(1)]),
    ("create table made10 (a int4)", &[Int(1), Text("x")]),
    ("create table made11 (a int4 default $1)", &[Int(1)]),
    ("create function made12(int4) returns int4 language sql begin atomic select $1; end", &[Text("x")]),
    ("alter table t add c int4 default $1", &[Int(1)]),
    ("comment on table log is 'x'", &[Int(1)]),
    ("show timezone", &[Int(1)]),
    ("notify x", &[Int(1)]),
    ("analyze log", &[Int(1)]),
    ("do $$ begin null; end $$", &[Int(1)]),
    ("select 1", &[Int(1), Text("x")]),
    ("select $2", &[Int(1), Text("x")]),
    ("select $3, $1", &[Int(1), Text("x"), Int(3)]),
    // Errors and where they are.
    ("/* é */ select /* $2 */ $1, nope", &[Int(1)]),
    ("select lower $1", &[Text("A")]),
    ("select $1 = 'abc'", &[Int(1)]),
    ("select $1a", &[Int(1)]),
    ("select $0", &[Int(1)]),
    ("select", &[Int(1)]),
    ("select $1; select 2", &[Int(1)]),
    ("selec $1", &[Int(1)]),
    ("(insert into t values ($1, 'x'))", &[Int(1)]),
    ("with x as (select 1) call twice($1)", &[Int(1)]),
    ("insert into t (nope) values ($1)", &[Int(1)]),
    ("select grouping($1)", &[Int(1)]),
    ("select 1 / $1", &[Int(0)]),
    ("select plain($1)", &[Int(1)]),
    ("delete from t where current of nosuch", &[Int(1)]),
];

/// What a client sees of a statement's result.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Rows { count: usize, columns: Vec<String> },
    Error { code: String, message: String, position: Option<usize> },
}

impl Seen {
    fn rows<R>(rows: &[R], columns: impl Fn(&R) -> Vec<String>) -> Self {
        Self::Rows { count: rows.len(), columns: rows.first().map(columns).unwrap_or_default() }
    }
}

async fn over_tcp(connection: &mut PgConnection, text: &'static str, values: &[Value]) -> Seen {
    // Not to be mistaken for the same text with other types.
    let query = values.iter().fold(sqlx::query(text).persistent(false), |query, value| match *value {
        Int(value) => query.bind(value),
        Text(value) => query.bind(value),
    });
    match query.fetch_all(connection).await {
        Ok(rows) => Seen::rows(&rows, |row| row.columns().iter().map(|column| column.name().to_owned()).collect()),
        Err(error) => {
            let error = error
                .as_database_error()
                .unwrap_or_else(|| panic!("{text}: {error}"))
                .downcast_ref::<PgDatabaseError>();
            let position = match error.position() {
                Some(PgErrorPosition::Original(position)) => Some(position),
                _ => None,
            };
            Seen::Error { code: error.code().to_owned(), message: error.message().to_owned(), position }
        }
    }
}

async fn over_http(client: &Client, text: &str, values: &[Value]) -> Seen {
    let params: Vec<_> = values
        .iter()
        .map(|value| match *value {
            Int(value) => Param::typed(value.to_string(), 23),
            Text(value) => Param::typed(value, 25),
        })
        .collect();
    match client.query(text, &params).await {
        Ok(rows) => Seen::rows(&rows, |row| row.columns().iter().map(|column| column.name.clone()).collect()),
        Err(error) => {
            let error = error.as_db_error().unwrap_or_else(|| panic!("{text}: {error}"));
            Seen::Error {
                code: error.code.as_ref().map(|code| code.as_str().to_owned()).unwrap_or_default(),
                message: error.message.clone(),
                position: error.position.and_then(|position| usize::try_from(position).ok()),
            }
        }
    }
}

#[tokio::test]
async fn statements_mean_over_http_what_they_mean_over_tcp() {
    let (tcp, http) = (Stage::start(), Stage::start());
    let mut connection = PgConnection::connect(&tcp.postgres_url()).await.unwrap();
    let client = Client::new(&http.config()).unwrap();
    tcp.psql(SCHEMA);
    http.psql(SCHEMA);
    let mut differences = Vec::new();
    for (text, values) in STATEMENTS {
        let (expected, seen) = (over_tcp(&mut connection, text, values).await, over_http(&client, text, values).await);
        if seen != expected {
            differences.push(format!("{text}\n  TCP:  {expected:?}\n  HTTP: {seen:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let state = "select (select json_agg(t order by a) from t), (select json_agg(l) from log l), (select json_agg(s) from seen s),
                 (select json_agg(relname order by relname) from pg_class where relname like 'made%')";
    assert_eq!(http.psql(state), tcp.psql(state));
}
