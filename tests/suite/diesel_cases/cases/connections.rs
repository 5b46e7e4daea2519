use std::time::{Duration, Instant};

use diesel::{
    connection::CacheSize,
    prelude::*,
    sql_query,
    sql_types::{Integer, Text},
};

use super::{
    Conn,
    world::{Connection, RunQueryDsl, SimpleConnection, heard},
};
use crate::diesel_cases::{
    case::{Case, Seen, cases},
    ground::Ground,
    schema::*,
    seen::{Events, kind, outcome},
};

pub(in crate::diesel_cases) const CASES: &[Case] = cases![
    connection_reports_queries,
    connection_reports_failures,
    connection_reports_scripts,
    connection_reports_transactions,
    connection_reports_rollbacks,
    connection_reports_batches_of_inserts,
    connection_reports_a_failed_commit,
    connection_caches_statements_or_not,
    connection_caches_survive_changed_tables,
    connection_keeps_settings,
    connection_keeps_temporary_tables,
    connection_prepares_by_sql,
    connection_takes_advisory_locks,
    connection_sets_and_reads_in_a_script,
    connection_explains,
    connection_calls_procedures,
    connection_runs_vacuum,
    connection_runs_common_table_expressions_that_write,
    connection_shows_settings,
    connection_hears_notifications,
    connection_lost,
    connection_lost_within_a_transaction,
];

async fn connection_reports_queries(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    for id in [1, 2] {
        authors::table.find(id).select(authors::name).get_result::<String>(c).await?;
    }
    sql_query("select $1 as said").bind::<Text, _>("x").get_result::<Said>(c).await?;
    Ok(events.take())
}

async fn connection_reports_failures(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    let failures = [
        outcome(missing::table.select(missing::id).load::<i32>(c).await),
        outcome(missing::table.select(missing::id).load::<i32>(c).await),
        outcome(sql_query("select 1 / 0").execute(c).await),
        outcome(diesel::update(authors::table.find(1)).set(authors::name.eq("Boole")).execute(c).await),
        outcome(diesel::update(authors::table.find(1)).set(authors::name.eq("Boole")).execute(c).await),
    ];
    Ok(format!("{failures:?} {}", events.take()))
}

async fn connection_reports_scripts(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    c.batch_execute("select 1; select 2").await?;
    let failures =
        ["select 1; select broken", "select 'é' as \"ü\";\n select 1; selec 2", "select 1; select a.no from authors a"];
    let mut failed = String::new();
    for script in failures {
        failed += &outcome(c.batch_execute(script).await);
    }
    Ok(format!("{failed} {}", events.take()))
}

async fn connection_reports_transactions(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    let done = c
        .transaction(async |c| {
            sql_query("select 1").execute(c).await?;
            c.transaction(async |c| sql_query("select 2").execute(c).await).await?;
            let failed = c.transaction(async |c| sql_query("select * from missing").execute(c).await).await;
            QueryResult::Ok(outcome(failed))
        })
        .await?;
    Ok(format!("{done} {}", events.take()))
}

async fn connection_reports_rollbacks(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    let done = c
        .transaction(async |c| {
            authors::table.count().get_result::<i64>(c).await?;
            QueryResult::<()>::Err(diesel::result::Error::RollbackTransaction)
        })
        .await;
    let counted = authors::table.count().get_result::<i64>(c).await?;
    Ok(format!("{} {counted} {}", outcome(done), events.take()))
}

async fn connection_reports_batches_of_inserts(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    let rows = [NewAuthor { name: "E", born: None }, NewAuthor { name: "F", born: Some(3) }];
    diesel::insert_into(authors::table).values(&rows[..]).execute(c).await?;
    diesel::insert_into(authors::table).values(NewAuthor { name: "G", born: None }).execute(c).await?;
    diesel::insert_into(authors::table).values(NewAuthor { name: "H", born: None }).execute(c).await?;
    Ok(events.take())
}

async fn connection_reports_a_failed_commit(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    let done = c.transaction(async |c| sql_query("insert into prizes values (99, 1)").execute(c).await).await;
    Ok(format!("{} {}", outcome(done), events.take()))
}

async fn connection_caches_statements_or_not(c: &mut Conn, _: &Ground) -> Seen {
    let events = Events::default();
    c.set_instrumentation(events.clone());
    for size in [CacheSize::Unbounded, CacheSize::Disabled, CacheSize::Unbounded] {
        c.set_prepared_statement_cache_size(size);
        for id in [1, 2] {
            authors::table.find(id).select(authors::name).get_result::<String>(c).await?;
        }
    }
    Ok(events.take())
}

async fn connection_caches_survive_changed_tables(c: &mut Conn, ground: &Ground) -> Seen {
    let query = || sql_query("select * from authors where id = $1").bind::<Integer, _>(1);
    let mut seen = vec![outcome(query().load::<Author>(c).await)];
    ground.prepare("alter table authors add more text");
    for _ in 0..2 {
        seen.push(outcome(query().load::<Author>(c).await));
        seen.push(outcome(authors::table.find(1).first::<Author>(c).await));
    }
    Ok(seen.join(" "))
}

async fn connection_keeps_settings(c: &mut Conn, _: &Ground) -> Seen {
    let set = sql_query("set application_name = 'kept'").execute(c).await?;
    let shown = sql_query("select current_setting('application_name') as said").get_result::<Said>(c).await?;
    Ok(format!("{set} {shown:?}"))
}

async fn connection_keeps_temporary_tables(c: &mut Conn, _: &Ground) -> Seen {
    c.batch_execute("create temporary table missing (id integer)").await?;
    diesel::insert_into(missing::table).values(missing::id.eq(1)).execute(c).await?;
    Ok(outcome(missing::table.select(missing::id).load::<i32>(c).await))
}

async fn connection_prepares_by_sql(c: &mut Conn, _: &Ground) -> Seen {
    c.batch_execute("prepare asked (integer) as select ($1 + 1)::text as said").await?;
    Ok(outcome(sql_query("execute asked (41)").load::<Said>(c).await))
}

async fn connection_takes_advisory_locks(c: &mut Conn, _: &Ground) -> Seen {
    sql_query("select pg_advisory_lock(1)").execute(c).await?;
    Ok(outcome(sql_query("select pg_advisory_unlock(1)::text as said").get_result::<Said>(c).await))
}

async fn connection_sets_and_reads_in_a_script(c: &mut Conn, _: &Ground) -> Seen {
    let script =
        "set local statement_timeout = '5s'; insert into authors (name) values (current_setting('statement_timeout'))";
    c.batch_execute(script).await?;
    Ok(outcome(authors::table.filter(authors::id.eq(5)).select(authors::name).load::<String>(c).await))
}

async fn connection_explains(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("explain (costs off) select 1").execute(c).await))
}

async fn connection_calls_procedures(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare(
        "create procedure rename(i integer, n text) language sql as 'update authors set name = n where id = i'",
    );
    let called = sql_query("call rename($1, $2)").bind::<Integer, _>(1).bind::<Text, _>("Augusta").execute(c).await;
    Ok(format!("{} {}", outcome(called), outcome(authors::table.find(1).first::<Author>(c).await)))
}

async fn connection_runs_vacuum(c: &mut Conn, _: &Ground) -> Seen {
    Ok(format!(
        "{} {}",
        outcome(sql_query("vacuum authors").execute(c).await),
        outcome(c.batch_execute("vacuum books").await)
    ))
}

async fn connection_runs_common_table_expressions_that_write(c: &mut Conn, _: &Ground) -> Seen {
    let query = "with gone as (delete from prizes where year > $1 returning year) select year::text as said from gone order by 1";
    Ok(outcome(sql_query(query).bind::<Integer, _>(1900).load::<Said>(c).await))
}

async fn connection_shows_settings(c: &mut Conn, _: &Ground) -> Seen {
    #[derive(Debug, QueryableByName)]
    #[expect(dead_code, reason = "it is shown")]
    struct Shown {
        #[diesel(sql_type = Text)]
        standard_conforming_strings: String,
    }
    Ok(outcome(sql_query("show standard_conforming_strings").get_result::<Shown>(c).await))
}

async fn connection_hears_notifications(c: &mut Conn, ground: &Ground) -> Seen {
    sql_query("listen news").execute(c).await?;
    sql_query("listen \"Other\"").execute(c).await?;
    sql_query("notify news, 'it''s'").execute(c).await?;
    c.batch_execute("notify \"Other\"; notify unheard").await?;
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(match heard!(c) {
            Some(Ok(heard)) => format!("{} {:?}", heard.channel, heard.payload),
            Some(Err(failure)) => outcome::<()>(Err(failure)),
            None => "none".to_owned(),
        });
    }
    ground.prepare("notify news, 'of another'");
    let asked = Instant::now();
    while seen.len() < 3 && asked.elapsed() < Duration::from_secs(30) {
        // Its answer brings what came before.
        sql_query("select 1").execute(c).await?;
        if let Some(heard) = heard!(c) {
            seen.push(heard?.payload);
        }
    }
    Ok(seen.join(", "))
}

async fn connection_lost(c: &mut Conn, _: &Ground) -> Seen {
    let pid = diesel::select(pg_backend_pid()).get_result::<i32>(c).await;
    let failed = sql_query("do $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); end $$")
        .execute(c)
        .await;
    Ok(format!("{} {}", pid.is_ok(), kind(failed)))
}

async fn connection_lost_within_a_transaction(c: &mut Conn, _: &Ground) -> Seen {
    c.batch_execute("begin; select 1").await?;
    let lost = sql_query("select pg_terminate_backend(pg_backend_pid())").execute(c).await;
    let after = [
        kind(sql_query("select 1").execute(c).await),
        kind(authors::table.count().get_result::<i64>(c).await),
        kind(c.batch_execute("select 1").await),
    ];
    Ok(format!("{} {after:?}", kind(lost)))
}
