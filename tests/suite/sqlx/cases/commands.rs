use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Executor, Row,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    command_returning,
    command_upsert,
    command_with_writing_ctes,
    command_merge,
    command_explain,
    command_vacuum_and_analyze,
    command_create_index_concurrently,
    command_create_and_drop_a_database,
    command_reindex_and_cluster,
    command_do_block,
    command_comment_and_grant,
    command_call_with_out_parameters,
    command_call_with_transaction_control,
    command_of_functions_with_out_parameters,
    command_of_set_returning_functions,
    command_of_functions_that_raise_notices,
    command_of_triggers,
    command_of_views_and_rules,
    command_of_materialized_views,
    command_of_generated_columns_and_defaults,
    command_of_window_functions,
    command_of_values_and_table,
    command_that_gives_no_columns,
    command_with_a_returning_nothing,
    command_in_parentheses,
    migrator_runs,
    migrator_undoes,
    migrator_that_fails,
    migrator_lists,
    large_row,
    large_parameter,
    many_rows,
    many_columns,
    many_parameters,
    many_small_statements,
    many_statements_in_one_script,
    long_text,
    wide_and_empty_rows,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands() {
    super::compare(CASES).await;
}

const THINGS: &str = "create table things (id int primary key, name text unique, amount int default 7);
    insert into things select i, 'thing ' || i, i from generate_series(1, 4) as i";

async fn command_returning(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let inserted = sqlx::query("insert into things (id, name) values ($1, $2), ($3, $4) returning *")
        .bind(10)
        .bind("ten")
        .bind(11)
        .bind("eleven")
        .fetch_all(&pool)
        .await?;
    let updated = sqlx::query("update things set amount = amount * $1 where id < 3 returning id, amount")
        .bind(10)
        .fetch_all(&pool)
        .await?;
    let deleted = sqlx::query("delete from things where id = $1 returning name").bind(4).fetch_optional(&pool).await?;
    let none = sqlx::query("delete from things where id = $1 returning name").bind(4).fetch_optional(&pool).await?;
    Ok(format!(
        "{} {} {:?} {}",
        seen::rows(&inserted),
        seen::rows(&updated),
        deleted.as_ref().map(seen::row),
        none.is_none()
    ))
}

async fn command_upsert(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let upsert = "insert into things (id, name, amount) values ($1, $2, $3) on conflict (id) do update set amount = things.amount + excluded.amount returning id, amount, xmax = 0 as new";
    let mut seen = String::new();
    for id in [1, 20] {
        seen += &seen::row(&sqlx::query(upsert).bind(id).bind(format!("n{id}")).bind(100).fetch_one(&pool).await?);
    }
    let nothing =
        sqlx::query("insert into things (id, name) values (1, 'x') on conflict do nothing").execute(&pool).await?;
    Ok(format!("{seen} {}", nothing.rows_affected()))
}

async fn command_with_writing_ctes(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let rows = sqlx::query("with gone as (delete from things where id > $1 returning *), kept as (insert into things select id + 100, name, amount from gone returning id) select (select count(*) from gone) as gone, array_agg(id order by id) as ids from kept")
        .bind(2)
        .fetch_all(&pool)
        .await?;
    let ids: Vec<i32> = sqlx::query_scalar("select id from things order by id").fetch_all(&pool).await?;
    Ok(format!("{} {ids:?}", seen::rows(&rows)))
}

async fn command_merge(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let done = sqlx::query("merge into things using (values (1), ($1)) as s(x) on id = x when matched then update set amount = 0 when not matched then insert values (x, 'merged', 1)")
        .bind(50)
        .execute(&pool)
        .await?;
    let rows = sqlx::query("select id, amount from things order by id").fetch_all(&pool).await?;
    Ok(format!("{} {}", done.rows_affected(), seen::rows(&rows)))
}

async fn command_explain(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let plan: Vec<String> =
        sqlx::query_scalar("explain (costs off) select * from things where id = $1").bind(1).fetch_all(&pool).await?;
    let json: serde_json::Value =
        sqlx::query_scalar("explain (costs off, format json) select 1").fetch_one(&pool).await?;
    let analyzed =
        sqlx::query("explain (analyze, costs off, timing off, summary off) insert into things values (30, 'thirty')")
            .fetch_all(&pool)
            .await?;
    let count: i64 = sqlx::query_scalar("select count(*) from things").fetch_one(&pool).await?;
    Ok(format!("{plan:?} {json} {} {count}", seen::rows(&analyzed)))
}

async fn command_vacuum_and_analyze(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in ["vacuum things", "vacuum (analyze) things", "analyze things", "checkpoint"] {
        seen += &seen::outcome(&sqlx::query(text).execute(&pool).await.map(|done| done.rows_affected()));
        seen += &seen::outcome(&pool.execute(AssertSqlSafe(text)).await.map(|done| done.rows_affected()));
    }
    Ok(seen)
}

async fn command_create_index_concurrently(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    sqlx::query("create index concurrently by_amount on things (amount)").execute(&pool).await?;
    let valid: bool = sqlx::query_scalar("select indisvalid from pg_index where indexrelid = 'by_amount'::regclass")
        .fetch_one(&pool)
        .await?;
    pool.execute("drop index concurrently by_amount").await?;
    let in_a_script = pool.execute("select 1; create index concurrently by_name on things (name)").await.map(drop);
    Ok(format!("{valid} {}", seen::outcome(&in_a_script)))
}

async fn command_create_and_drop_a_database(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let refused = sqlx::query("create database not_allowed").execute(&pool).await.map(drop);
    let unknown = sqlx::query("drop database if exists never_there").execute(&pool).await.map(drop);
    Ok(format!("{} {}", seen::outcome(&refused), seen::outcome(&unknown)))
}

async fn command_reindex_and_cluster(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    for text in ["reindex table things", "cluster things using things_pkey", "reindex table concurrently things"] {
        sqlx::query(text).execute(&pool).await?;
    }
    let count: i64 = sqlx::query_scalar("select count(*) from things").fetch_one(&pool).await?;
    Ok(count.to_string())
}

async fn command_do_block(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let done = sqlx::query("do $body$ declare i int; begin for i in 1..3 loop update things set amount = i where id = i; end loop; end $body$").execute(&pool).await?;
    let rows = sqlx::query("select id, amount from things order by id").fetch_all(&pool).await?;
    Ok(format!("{} {}", done.rows_affected(), seen::rows(&rows)))
}

async fn command_comment_and_grant(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    pool.execute("comment on table things is 'it''s; a table'; grant select on things to public; revoke all on things from public").await?;
    let comment: String = sqlx::query_scalar("select obj_description('things'::regclass)").fetch_one(&pool).await?;
    Ok(comment)
}

const ROUTINES: &str = "create procedure twice(inout i int, out text text) language plpgsql as $$ begin i := i * 2; text := 'é' || i; end $$;
    create table log (what text);
    create procedure stepwise() language plpgsql as $$ begin insert into log values ('kept'); commit; insert into log values ('undone'); rollback; end $$;
    create function parts(i int, out half int, out text text) language sql as $$ select i / 2, 'of ' || i $$;
    create function listed(n int) returns table (i int, square int) language sql as $$ select i, i * i from generate_series(1, n) as i $$;
    create function numbers() returns setof int language sql as $$ select generate_series(1, 3) $$;
    create function loud(i int) returns int language plpgsql as $$ begin raise notice 'notice %', i; raise warning 'warning'; return i; end $$";

async fn command_call_with_out_parameters(ground: Ground) -> Seen {
    ground.prepare(ROUTINES).await;
    let pool = ground.single().await?;
    let row = sqlx::query("call twice($1, null)").bind(21).fetch_one(&pool).await?;
    let raw = sqlx::raw_sql("call twice(4, null)").fetch_one(&pool).await?;
    Ok(seen::row(&row) + &seen::row(&raw))
}

async fn command_call_with_transaction_control(ground: Ground) -> Seen {
    ground.prepare(ROUTINES).await;
    let pool = ground.single().await?;
    sqlx::query("call stepwise()").execute(&pool).await?;
    let rows = sqlx::query("select * from log").fetch_all(&pool).await?;
    let mut transaction = pool.begin().await?;
    let refused = sqlx::query("call stepwise()").execute(&mut *transaction).await.map(drop);
    transaction.rollback().await?;
    Ok(format!("{} {}", seen::rows(&rows), seen::outcome(&refused)))
}

async fn command_of_functions_with_out_parameters(ground: Ground) -> Seen {
    ground.prepare(ROUTINES).await;
    let pool = ground.single().await?;
    let columns = sqlx::query("select * from parts($1)").bind(9).fetch_one(&pool).await?;
    let (half, text): (i32, String) = sqlx::query_scalar("select parts($1)").bind(10).fetch_one(&pool).await?;
    Ok(format!("{} {half} {text}", seen::row(&columns)))
}

async fn command_of_set_returning_functions(ground: Ground) -> Seen {
    ground.prepare(ROUTINES).await;
    let pool = ground.single().await?;
    let table = sqlx::query("select * from listed($1)").bind(3).fetch_all(&pool).await?;
    let set: Vec<i32> = sqlx::query_scalar("select numbers()").fetch_all(&pool).await?;
    let joined =
        sqlx::query("select n, l.square from numbers() as n, lateral listed(n) as l where l.i = n with ordinality")
            .fetch_all(&pool)
            .await
            .map(|rows| seen::rows(&rows));
    Ok(format!("{} {set:?} {}", seen::rows(&table), seen::outcome(&joined)))
}

async fn command_of_functions_that_raise_notices(ground: Ground) -> Seen {
    ground.prepare(ROUTINES).await;
    let pool = ground.single().await?;
    let all: Vec<i32> = sqlx::query_scalar("select loud(i) from generate_series(1, 50) as i").fetch_all(&pool).await?;
    let one: i32 = sqlx::query_scalar("select loud($1)").bind(1).fetch_one(&pool).await?;
    pool.execute("drop table if exists never_there").await?;
    Ok(format!("{} {one}", all.len()))
}

async fn command_of_triggers(ground: Ground) -> Seen {
    ground
        .prepare(
            "create table things (id int, touched timestamptz, note text); create table audit (what text);
             create function touch() returns trigger language plpgsql as $$ begin
                 new.note := coalesce(new.note, '') || ' touched by ' || tg_op; insert into audit values (tg_table_name); return new; end $$;
             create trigger touch before insert or update on things for each row execute function touch()",
        )
        .await;
    let pool = ground.single().await?;
    let row = sqlx::query("insert into things (id, note) values ($1, $2) returning id, note")
        .bind(1)
        .bind("a")
        .fetch_one(&pool)
        .await?;
    sqlx::query("update things set id = 2").execute(&pool).await?;
    let rows = sqlx::query("select things.note, audit.what from things, audit").fetch_all(&pool).await?;
    Ok(seen::row(&row) + &seen::rows(&rows))
}

async fn command_of_views_and_rules(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    pool.execute("create view big as select id, amount from things where amount > 2 with check option").await?;
    let rows = sqlx::query("select * from big where id < $1").bind(10).fetch_all(&pool).await?;
    let done = sqlx::query("update big set amount = 9 where id = 3").execute(&pool).await?;
    let refused = sqlx::query("update big set amount = 0 where id = 3").execute(&pool).await.map(drop);
    Ok(format!("{} {} {}", seen::rows(&rows), done.rows_affected(), seen::outcome(&refused)))
}

async fn command_of_materialized_views(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let made =
        sqlx::query("create materialized view sums as select sum(amount) as total from things").execute(&pool).await?;
    sqlx::query("insert into things values (90, 'x', 90)").execute(&pool).await?;
    let before: i64 = sqlx::query_scalar("select total from sums").fetch_one(&pool).await?;
    sqlx::query("refresh materialized view sums").execute(&pool).await?;
    let after: i64 = sqlx::query_scalar("select total from sums").fetch_one(&pool).await?;
    Ok(format!("{} {before} {after}", made.rows_affected()))
}

async fn command_of_generated_columns_and_defaults(ground: Ground) -> Seen {
    ground.prepare("create table boxes (w int, h int default 3, area int generated always as (w * h) stored)").await;
    let pool = ground.single().await?;
    let row = sqlx::query("insert into boxes (w) values ($1) returning *").bind(5).fetch_one(&pool).await?;
    let all = sqlx::query("insert into boxes default values returning *").fetch_one(&pool).await?;
    let refused = sqlx::query("insert into boxes (area) values ($1)").bind(1).execute(&pool).await.map(drop);
    Ok(format!("{} {} {}", seen::row(&row), seen::row(&all), seen::outcome(&refused)))
}

async fn command_of_window_functions(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let rows = sqlx::query("select id, rank() over (order by amount desc), lag(name) over w, sum(amount) over w from things window w as (order by id) order by id limit $1 offset $2")
        .bind(3_i64)
        .bind(1_i64)
        .fetch_all(&ground.single().await?)
        .await?;
    Ok(seen::rows(&rows))
}

async fn command_of_values_and_table(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let values = sqlx::query("values (1, 'a'), (2, $1)").bind("b").fetch_all(&pool).await?;
    let table = sqlx::query("table things").fetch_all(&pool).await?;
    let into = sqlx::query("select * into copies from things where id > $1").bind(2).execute(&pool).await?;
    Ok(format!("{} {} {}", seen::rows(&values), seen::rows(&table), into.rows_affected()))
}

async fn command_that_gives_no_columns(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let rows = sqlx::query("select from things").fetch_all(&pool).await?;
    let raw = sqlx::raw_sql("select from things where id < 3").fetch_all(&pool).await?;
    let done = sqlx::query("select from things").execute(&pool).await?;
    Ok(format!("{} {} {} {}", rows.len(), rows[0].len(), raw.len(), done.rows_affected()))
}

async fn command_with_a_returning_nothing(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in ["insert into things values (60, 'sixty')", "update things set amount = 1", "create table made (i int)"]
    {
        let rows = sqlx::query(text).fetch_all(&pool).await?;
        seen += &rows.len().to_string();
    }
    let none = sqlx::query("delete from things").fetch_optional(&pool).await?;
    let missing = sqlx::query("delete from things").fetch_one(&pool).await.map(drop);
    Ok(format!("{seen} {} {}", none.is_none(), seen::outcome(&missing)))
}

async fn command_in_parentheses(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let rows = sqlx::query("(select $1 as a) union all (select 2) order by a").bind(5).fetch_all(&pool).await?;
    let nested = sqlx::query("((select 1 as b))").fetch_all(&pool).await?;
    Ok(seen::rows(&rows) + &seen::rows(&nested))
}

fn migrator(scripts: &[(i64, &'static str, &'static str)]) -> Migrator {
    use sqlx::SqlSafeStr;
    let migrations = scripts.iter().flat_map(|&(version, up, down)| {
        let of =
            |kind, script: &'static str| Migration::new(version, "a step".into(), kind, script.into_sql_str(), false);
        [of(MigrationType::ReversibleUp, up), of(MigrationType::ReversibleDown, down)]
    });
    Migrator::with_migrations(migrations.collect())
}

/// Runs what the compiler cannot tell may change threads, since it borrows what it acquires from.
async fn apart(case: impl AsyncFnOnce() -> Seen + Send + 'static) -> Seen {
    tokio::task::spawn_blocking(move || tokio::runtime::Handle::current().block_on(case())).await.unwrap()
}

const STEPS: [(i64, &str, &str); 2] = [
    (
        1,
        "create table one (i int); insert into one values (1); create function f() returns int language sql as $$ select 1; $$",
        "drop function f(); drop table one",
    ),
    (2, "create table two (i int)", "drop table two"),
];

async fn migrator_runs(ground: Ground) -> Seen {
    apart(async move || {
        let pool = ground.single().await?;
        let migrator = migrator(&STEPS);
        migrator.run(&pool).await?;
        migrator.run(&pool).await?;
        let rows = sqlx::query("select version, description, success, checksum from _sqlx_migrations order by version")
            .fetch_all(&pool)
            .await?;
        let one: i32 = sqlx::query_scalar("select f() + i from one").fetch_one(&pool).await?;
        Ok(format!("{} {one}", seen::rows(&rows)))
    })
    .await
}

async fn migrator_undoes(ground: Ground) -> Seen {
    apart(async move || {
        let pool = ground.single().await?;
        let migrator = migrator(&STEPS);
        migrator.run(&pool).await?;
        migrator.undo(&pool, 1).await?;
        let left: Vec<String> =
            sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by 1")
                .fetch_all(&pool)
                .await?;
        migrator.undo(&pool, 0).await?;
        let none: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations").fetch_one(&pool).await?;
        Ok(format!("{left:?} {none}"))
    })
    .await
}

async fn migrator_that_fails(ground: Ground) -> Seen {
    apart(async move || {
        let pool = ground.single().await?;
        let failing = [STEPS[0], (2, "create table two (i int); select 1/0", "")];
        let failed = match migrator(&failing).run(&pool).await {
            Ok(()) => "ran".to_owned(),
            Err(MigrateError::ExecuteMigration(error, version)) => format!("{version}: {}", seen::error(&error)),
            Err(other) => return Err(other.into()),
        };
        let left: Vec<String> =
            sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by 1")
                .fetch_all(&pool)
                .await?;
        let changed = [(1, "create table other (i int)", "")];
        let mismatch = migrator(&changed).run(&pool).await.map_err(|error| error.to_string());
        let versions: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations").fetch_all(&pool).await?;
        Ok(format!("{failed} {left:?} {mismatch:?} {versions:?}"))
    })
    .await
}

async fn migrator_lists(ground: Ground) -> Seen {
    apart(async move || {
        migrator(&STEPS).run(&mut ground.control().await).await.unwrap();
        let mut connection = ground.connection().await?;
        let applied = connection.list_applied_migrations("_sqlx_migrations").await?;
        let dirty = connection.dirty_version("_sqlx_migrations").await?;
        let versions: Vec<_> = applied.iter().map(|migration| (migration.version, migration.checksum.len())).collect();
        Ok(format!("{versions:?} {dirty:?}"))
    })
    .await
}

async fn large_row(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select repeat('0123456789', $1) as text, decode(repeat('ff00', $2), 'hex') as bytes")
        .bind(1_500_000)
        .bind(2_500_000)
        .fetch_one(&pool)
        .await?;
    let (text, bytes) = (row.try_get::<&str, _>(0)?, row.try_get::<&[u8], _>(1)?);
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{} {} {} {after}", text.len(), bytes.len(), bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>()))
}

async fn large_parameter(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select length($1), md5($1), octet_length($2)")
        .bind("é".repeat(4_000_000))
        .bind(vec![0xff_u8; 3_000_000])
        .fetch_one(&pool)
        .await?;
    Ok(seen::row(&row))
}

async fn many_rows(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut rows =
        sqlx::query("select i, i * 2 as double, 'row ' || i as name from generate_series(1, 200000) as i").fetch(&pool);
    let (mut count, mut sum, mut length) = (0_u64, 0_i64, 0_usize);
    while let Some(row) = rows.try_next().await? {
        count += 1;
        sum += i64::from(row.try_get::<i32, _>(1)?);
        length += row.try_get::<&str, _>(2)?.len();
    }
    Ok(format!("{count} {sum} {length}"))
}

async fn many_columns(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let list: Vec<_> = (1..=1600).map(|number| format!("{number} as c{number}")).collect();
    let row = sqlx::query(AssertSqlSafe(format!("select {}", list.join(", ")))).fetch_one(&pool).await?;
    let over: Vec<_> = (1..=1665).map(|number| number.to_string()).collect();
    let refused =
        sqlx::query(AssertSqlSafe(format!("select {}", over.join(", ")))).fetch_one(&pool).await.map(|row| row.len());
    Ok(format!("{} {} {}", row.len(), row.try_get::<i32, _>("c1600")?, seen::outcome(&refused)))
}

async fn many_parameters(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let list: Vec<_> = (1..=65_535).map(|number| format!("(${number})")).collect();
    let mut query =
        sqlx::query(AssertSqlSafe(format!("select sum(x), count(*) from (values {}) as list(x)", list.join(", "))));
    for number in 0..65_535_i32 {
        query = query.bind(number);
    }
    let row = query.fetch_one(&pool).await?;
    Ok(seen::row(&row))
}

async fn many_small_statements(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut sum = 0_i64;
    for number in 0..150_i32 {
        let text = AssertSqlSafe(format!("select {number} + $1"));
        sum += i64::from(sqlx::query_scalar::<_, i32>(text).bind(number).fetch_one(&pool).await?);
    }
    Ok(sum.to_string())
}

async fn many_statements_in_one_script(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int)").await;
    let pool = ground.single().await?;
    let script: String = (0..500).map(|number| format!("insert into numbers values ({number});\n")).collect();
    let done = sqlx::raw_sql(AssertSqlSafe(script)).execute(&pool).await?;
    let sum: i64 = sqlx::query_scalar("select sum(i) from numbers").fetch_one(&pool).await?;
    Ok(format!("{} {sum}", done.rows_affected()))
}

async fn long_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let text = format!("select length('{}') + $1", "x".repeat(2_000_000));
    let length: i32 = sqlx::query_scalar(AssertSqlSafe(text)).bind(1).fetch_one(&pool).await?;
    Ok(length.to_string())
}

async fn wide_and_empty_rows(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let rows = sqlx::query("select case when i % 2 = 0 then repeat('x', 70000) else '' end as text, case when i % 3 = 0 then null else i end as number from generate_series(1, 40) as i").fetch_all(&pool).await?;
    let lengths: Vec<_> = rows.iter().map(|row| (row.get::<&str, _>(0).len(), row.get::<Option<i32>, _>(1))).collect();
    Ok(format!("{lengths:?}"))
}
