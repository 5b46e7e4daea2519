//! Where statements end: as the server finds it in a script that it reads whole, and as psql finds it.

use futures_util::TryStreamExt;
use pgferry::sql::{Dialect, split};
use pgferry_test_support::Stage;
use sqlx::{Connection, PgConnection};

/// Each starts in an empty schema with a table `t`, and fails nowhere.
const SCRIPTS: &[&str] = &[
    "select 1; select 2",
    "select 'a;b'; select $$;$$; select $x$;$$;$x$;",
    "select 1 /* ; /* ; */ ; */ ; select 2 -- ;",
    "select e'\\';' ; select 1",
    "select 'a'\n';b'; select 2",
    "select 'a' -- c;\n ';b'; select 2",
    "select e'a'\n'\\';' ; select 2",
    "select 1 as \"a;\"\"b\"; select 2",
    "select x'1' ; select N';' ; select b'0'",
    "select 'é;', 'ü'; select '☃'",
    "select 1--;\r;select 2",
    "select 1\u{c};\tselect 2",
    "; ; select 1 ; ;",
    "select 1;-- last",
    "select 1 -- last",
    "create function f() returns int language sql begin atomic select 1; select case when true then 1 else 2 end; end; select f()",
    "create function f() returns int language sql begin atomic select 1 as end; select 2 as case; select 3 end; end; select 2",
    "create or replace function f() returns int language sql return case when true then 1 else 2 end; select 2",
    "create procedure p() begin atomic insert into t values (1); insert into t values (2); end; call p()",
    "create procedure p() language sql begin atomic end; select 1",
    "create function f(a int default (1)) returns int language sql begin atomic
     select (select case a when 1 then (select 2) end); end; select 2; select 3",
    "create function \"begin atomic\"() returns int language sql as 'select 1; '; select 2",
    "create rule r as on insert to t do also (select 1; select 2); select 2",
    "create rule r as on insert to t do also (select 1; ; select 2;); select 2",
    "create rule r as on insert to t do also select 1; select 2",
    "create schema scripts_inner create table x (a int) create view y as select 1 as z; drop schema scripts_inner cascade",
    "do $a$ begin execute $b$ select ';' $b$; end; $a$; select 2",
    "select a$b$ from (select 1 as a$b$) x; select 2",
    "select 1 as a$$; select $$ 2 $$",
    "select $q$ $q $ $$ $q$; select '$$;'; select '$$;'",
    "prepare q as select $1::int; execute q(1); deallocate q",
    "select 1-/*;*/2; select 1 --;\n+2; select @ -1; select 2*/**/3",
    "select 1.; select .5; select 1e-5; select (array[';'])[1]",
    "create view v as select 1 as begin; drop view v",
    "create table x (a int generated always as identity, b text default ';'); drop table x",
];

/// Scripts in which a backslash matters.
const BACKSLASHES: &[&str] = &[
    r"select 'a\\'; select 2",
    r"select 'a\'; select 2 --'",
    r"select n'a\'; select 2 --'",
    "select 'a'\n'\\'; select 2 --'",
    r"select $$\$$; select '\\'; select 2",
];

async fn results(connection: &mut PgConnection, script: &'static str) -> usize {
    let prepare = "drop schema if exists scripts cascade; create schema scripts; set search_path = scripts; create table t (a int)";
    sqlx::raw_sql(prepare).execute(&mut *connection).await.unwrap();
    let results = sqlx::raw_sql(script).fetch_many(connection);
    let ends = results.try_filter(|part| std::future::ready(part.is_left()));
    ends.try_collect::<Vec<_>>().await.unwrap_or_else(|error| panic!("{script}: {error}")).len()
}

#[tokio::test]
async fn the_server_finds_as_many_statements() {
    let stage = Stage::start();
    let mut connection = PgConnection::connect(&stage.postgres_url()).await.unwrap();
    for script in SCRIPTS {
        assert_eq!(split(script).len(), results(&mut connection, script).await, "{script}");
    }
    sqlx::raw_sql("set escape_string_warning = off").execute(&mut connection).await.unwrap();
    for (on, setting) in
        [(true, "set standard_conforming_strings = on"), (false, "set standard_conforming_strings = off")]
    {
        let dialect = Dialect::new().standard_conforming_strings(on);
        for script in BACKSLASHES {
            sqlx::raw_sql(setting).execute(&mut connection).await.unwrap();
            assert_eq!(dialect.split(script).len(), results(&mut connection, script).await, "{script} {on}");
        }
    }
}

#[test]
fn a_setting_counts_from_the_next_statement_as_in_psql() {
    let stage = Stage::start();
    // psql looks at the setting once a line.
    let script = r"set escape_string_warning = off; select 'a\'; set standard_conforming_strings = off;
        select 'b\';c'; reset standard_conforming_strings;
        select 'd\'";
    assert_eq!(split(script).len(), 6);
    assert_eq!(stage.psql(&format!("{script};")), "a\\\nb';c\nd\\");
}
