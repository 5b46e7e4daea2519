use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, Integer, Text},
};

use super::{
    Conn,
    world::{RunQueryDsl, SimpleConnection},
};
use crate::diesel_cases::{
    case::{Case, Seen, cases},
    ground::Ground,
    schema::*,
    seen::{kind, outcome},
};

pub(in crate::diesel_cases) const CASES: &[Case] = cases![
    error_unique,
    error_foreign_key,
    error_not_null,
    error_check,
    error_restrict,
    error_exclusion,
    error_read_only,
    error_serialization,
    error_of_a_domain,
    error_of_a_trigger,
    error_of_syntax,
    error_of_a_missing_table,
    error_of_a_missing_column_has_a_hint,
    error_of_privilege,
    error_of_division,
    error_after_some_rows,
    error_of_too_long_a_statement,
    error_nul_in_a_value,
    error_nul_in_a_query,
    error_nul_in_a_script,
    error_empty_query,
    error_empty_script,
    error_comment_only,
    error_two_statements_in_a_query,
    error_in_a_script,
    error_null_into_no_option,
    error_column_not_in_raw_query,
    error_raw_column_of_another_type,
    error_not_found,
    error_leaves_the_connection_usable,
];

async fn error_unique(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(diesel::insert_into(authors::table).values(authors::name.eq("Ada")).execute(c).await))
}

async fn error_foreign_key(c: &mut Conn, _: &Ground) -> Seen {
    let query = diesel::insert_into(books::table).values((books::author_id.eq(99), books::title.eq("Ghost")));
    let inserted = query.execute(c).await;
    Ok(format!("{} {}", outcome(inserted), outcome(diesel::delete(authors::table.find(1)).execute(c).await)))
}

async fn error_not_null(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("insert into authors (born) values (1)").execute(c).await))
}

async fn error_check(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(diesel::update(authors::table.find(1)).set(authors::born.eq(3000)).execute(c).await))
}

async fn error_restrict(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare("create table kept (id int primary key, of int references kept on delete restrict); insert into kept values (1, null), (2, 1)");
    Ok(outcome(sql_query("delete from kept where id = 1").execute(c).await))
}

async fn error_exclusion(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare(
        "create table spans (span int4range, exclude using gist (span with &&)); insert into spans values ('[1,5)')",
    );
    Ok(outcome(sql_query("insert into spans values ('[4,9)')").execute(c).await))
}

async fn error_read_only(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(c.batch_execute("set transaction read only; delete from prizes").await))
}

async fn error_serialization(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("do $$ begin raise exception 'so it goes' using errcode = '40001'; end $$").execute(c).await))
}

async fn error_of_a_domain(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select ($1::integer)::positive").bind::<Integer, _>(-1).execute(c).await))
}

async fn error_of_a_trigger(c: &mut Conn, _: &Ground) -> Seen {
    let raise = "do $$ begin raise exception 'no %', 1 using detail = 'the detail', hint = 'the hint', table = 't', column = 'c',                  constraint = 'x', errcode = '23505'; end $$";
    Ok(outcome(sql_query(raise).execute(c).await))
}

async fn error_of_syntax(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("selec 1").execute(c).await))
}

async fn error_of_a_missing_table(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(missing::table.select(missing::id).load::<i32>(c).await))
}

async fn error_of_a_missing_column_has_a_hint(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select authors.nam from authors").execute(c).await))
}

async fn error_of_privilege(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select * from pg_authid").execute(c).await))
}

async fn error_of_division(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select $1 / 0").bind::<Integer, _>(1).execute(c).await))
}

async fn error_after_some_rows(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select (10 / (50 - i))::text as said from generate_series(1, 100) i").load::<Said>(c).await))
}

async fn error_of_too_long_a_statement(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare("do $$ begin execute format('alter role app in database %I set statement_timeout = 200', current_database()); end $$");
    let mut late = super::world::establish::<Conn>(ground).await;
    let cancelled = sql_query("select pg_sleep(1)").execute(&mut late).await;
    ground.prepare("do $$ begin execute format('alter role app in database %I reset all', current_database()); end $$");
    Ok(format!("{} {}", outcome(cancelled), outcome(sql_query("select 1").execute(c).await)))
}

async fn error_nul_in_a_value(c: &mut Conn, _: &Ground) -> Seen {
    let one = diesel::select("a\0b".into_sql::<Text>()).get_result::<String>(c).await;
    let in_an_array = diesel::select(vec!["a", "\0"].into_sql::<Array<Text>>()).get_result::<Vec<String>>(c).await;
    Ok(format!("{} {}", outcome(one), outcome(in_an_array)))
}

async fn error_nul_in_a_query(c: &mut Conn, _: &Ground) -> Seen {
    Ok(kind(sql_query("select 1 \0").execute(c).await))
}

async fn error_nul_in_a_script(c: &mut Conn, _: &Ground) -> Seen {
    Ok(kind(c.batch_execute("select 1 \0").await))
}

async fn error_empty_query(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("").execute(c).await))
}

async fn error_empty_script(c: &mut Conn, _: &Ground) -> Seen {
    Ok(format!("{} {}", outcome(c.batch_execute("").await), outcome(c.batch_execute(" ; ;").await)))
}

async fn error_comment_only(c: &mut Conn, _: &Ground) -> Seen {
    Ok(format!(
        "{} {}",
        outcome(sql_query("-- nothing").execute(c).await),
        outcome(c.batch_execute("/* nothing */").await)
    ))
}

async fn error_two_statements_in_a_query(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select 1; select 2").execute(c).await))
}

async fn error_in_a_script(c: &mut Conn, _: &Ground) -> Seen {
    let failed = c.batch_execute("delete from prizes; select * from missing; select 1").await;
    Ok(format!("{} {}", outcome(failed), outcome(prizes::table.count().get_result::<i64>(c).await)))
}

async fn error_null_into_no_option(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select null::text as said").get_result::<Said>(c).await))
}

async fn error_column_not_in_raw_query(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select 'x' as sung").get_result::<Said>(c).await))
}

async fn error_raw_column_of_another_type(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select 1::bigint as id, 'x' as name, null::integer as born").get_result::<Author>(c).await))
}

async fn error_not_found(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(authors::table.filter(authors::id.lt(0)).select(authors::name).first::<String>(c).await))
}

async fn error_leaves_the_connection_usable(c: &mut Conn, _: &Ground) -> Seen {
    let mut seen = String::new();
    for _ in 0..3 {
        seen += &outcome(sql_query("select * from missing").execute(c).await);
        seen += &outcome(authors::table.count().get_result::<i64>(c).await);
    }
    Ok(seen)
}
