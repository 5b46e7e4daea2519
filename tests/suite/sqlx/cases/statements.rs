use futures_util::TryStreamExt;
use sqlx::{
    Column, Either, Executor, Row, SqlSafeStr, Statement, TypeInfo,
    postgres::{PgPoolOptions, PgTypeInfo},
};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    statement_repeated,
    statement_that_is_not_persistent,
    statement_cache_of_one,
    statement_cache_of_two,
    statement_cache_of_none,
    statement_cache_cleared,
    statement_count_in_the_server,
    statement_prepared,
    statement_prepared_with_types,
    statement_prepared_and_wrong,
    statement_prepared_on_a_pool,
    statement_described,
    statement_described_with_nullability,
    statement_of_ddl_described,
    statement_after_its_table_changed,
    statement_after_its_table_was_made_anew,
    statement_that_failed_at_first,
    statement_whose_parse_failed_is_tried_again,
    statement_with_untyped_parameters,
    statement_whose_parameters_are_converted,
    stream_dropped_midway,
    stream_dropped_unpolled,
    stream_dropped_midway_with_parameters,
    stream_that_fails_midway,
    stream_that_fails_midway_gives_rows_before,
    stream_of_raw_sql_dropped,
    future_dropped_in_mid_statement,
    close_of_evicted_statements_is_clean,
    pings_between_statements,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements() {
    super::compare(CASES).await;
}

async fn statement_repeated(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for number in 0..5_i32 {
        let row = sqlx::query("select $1 + 1 as next, $2 as text").bind(number).bind("é").fetch_one(&pool).await?;
        seen += &seen::row(&row);
    }
    Ok(seen)
}

async fn statement_that_is_not_persistent(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for number in 0..3_i32 {
        let once =
            sqlx::query("select $1 as it, array[$1] as list").bind(number).persistent(false).fetch_one(&pool).await?;
        let kept = sqlx::query("select $1 * 2 as it").bind(number).fetch_one(&pool).await?;
        seen += &(seen::row(&once) + &seen::row(&kept));
    }
    Ok(seen)
}

async fn through_cache(ground: &Ground, capacity: usize) -> Seen {
    let options = ground.options().statement_cache_capacity(capacity);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let mut seen = String::new();
    for round in 0..3_i32 {
        for text in ["select $1 + 1 as a", "select $1 + 2 as b", "select $1 + 3 as c", "select $1 / 0 as d"] {
            let row = sqlx::query(text).bind(round).fetch_one(&pool).await.map(|row| seen::row(&row));
            seen += &seen::outcome(&row);
        }
    }
    Ok(seen)
}

async fn statement_cache_of_one(ground: Ground) -> Seen {
    through_cache(&ground, 1).await
}

async fn statement_cache_of_two(ground: Ground) -> Seen {
    through_cache(&ground, 2).await
}

async fn statement_cache_of_none(ground: Ground) -> Seen {
    through_cache(&ground, 0).await
}

async fn statement_cache_cleared(ground: Ground) -> Seen {
    use sqlx::Connection;
    let mut connection = ground.connection().await?;
    let mut seen = String::new();
    for _ in 0..2 {
        for text in ["select 1 as a", "select 2 as b"] {
            seen += &seen::row(&sqlx::query(text).fetch_one(&mut connection).await?);
        }
        seen += &format!("{} ", connection.cached_statements_size());
        connection.clear_cached_statements().await?;
        seen += &format!("{} ", connection.cached_statements_size());
    }
    connection.ping().await?;
    connection.close().await?;
    Ok(seen)
}

/// What a session has prepared is asked for by a query, which a session alone can answer.
async fn statement_count_in_the_server(ground: Ground) -> Seen {
    let options = ground.options().statement_cache_capacity(3);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    for text in ["select 1", "select 2", "select 3", "select 4", "select 5"] {
        sqlx::query(text).execute(&pool).await?;
    }
    let rows = sqlx::raw_sql(
        "begin; select statement from pg_prepared_statements where statement like 'select %' order by 1; commit",
    )
    .fetch_all(&pool)
    .await?;
    Ok(format!("{} prepared: {}", rows.len(), seen::rows(&rows)))
}

fn told<S: Statement<Database = sqlx::Postgres>>(statement: &S) -> String
where
    <S::Database as sqlx::Database>::Column: Column<Database = sqlx::Postgres>,
{
    let columns: Vec<_> =
        statement.columns().iter().map(|column| format!("{}:{}", column.name(), column.type_info().name())).collect();
    let parameters = match statement.parameters() {
        Some(Either::Left(types)) => types.iter().map(|each| each.name().to_owned()).collect::<Vec<_>>().join(","),
        Some(Either::Right(count)) => count.to_string(),
        None => "unknown".to_owned(),
    };
    format!("{columns:?} of {parameters}")
}

const PEOPLE: &str = "create table people (id serial primary key, name text not null, born date, tags text[]);
    insert into people (name, born, tags) values ('Ada', '1815-12-10', '{a,b}'), ('Grace', null, null)";

async fn statement_prepared(ground: Ground) -> Seen {
    ground.prepare(PEOPLE).await;
    let mut connection = ground.connection().await?;
    let statement = connection
        .prepare("select id, name, born, tags from people where name = $1 and id > $2".into_sql_str())
        .await?;
    let told = told(&statement);
    let mut seen = String::new();
    for name in ["Ada", "Grace", "Nobody"] {
        let row = statement.query().bind(name).bind(0).fetch_optional(&mut connection).await?;
        seen += &format!("{:?} ", row.as_ref().map(seen::row));
    }
    let typed: (i32,) = statement.query_as().bind("Ada").bind(0).fetch_one(&mut connection).await?;
    Ok(format!("{told} {seen} {typed:?}"))
}

async fn statement_prepared_with_types(ground: Ground) -> Seen {
    ground.prepare(PEOPLE).await;
    let mut connection = ground.connection().await?;
    let types = [PgTypeInfo::with_name("INT8"), PgTypeInfo::with_name("TEXT")];
    let statement = connection
        .prepare_with("select $1 + 1 as next, $2 as text, $3 as third, $1 is null as none".into_sql_str(), &types)
        .await?;
    let told = told(&statement);
    let row = statement.query().bind(41_i64).bind("x").bind("y").fetch_one(&mut connection).await?;
    Ok(format!("{told} {}", seen::row(&row)))
}

async fn statement_prepared_and_wrong(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let mut seen = String::new();
    for text in ["selec 1", "select * from nowhere", "select $1 + nonsense", "select lower($1, $2)"] {
        let prepared = connection.prepare(text.into_sql_str()).await.map(|statement| told(&statement));
        seen += &seen::outcome(&prepared);
        seen.push('\n');
    }
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await?;
    Ok(format!("{seen} {after}"))
}

async fn statement_prepared_on_a_pool(ground: Ground) -> Seen {
    ground.prepare(PEOPLE).await;
    let pool = ground.pool().await?;
    let statement = pool.prepare("insert into people (name) values ($1) returning id, name".into_sql_str()).await?;
    let told = told(&statement);
    let row = statement.query().bind("Edsger").fetch_one(&pool).await?;
    Ok(format!("{told} {}", seen::row(&row)))
}

async fn described(ground: &Ground, text: &'static str) -> Seen {
    let mut connection = ground.connection().await?;
    let described = connection.describe(text.into_sql_str()).await?;
    let columns: Vec<_> = (0..described.columns().len())
        .map(|index| {
            let column = described.column(index);
            format!("{}:{} null {:?}", column.name(), column.type_info().name(), described.nullable(index))
        })
        .collect();
    let parameters = match described.parameters() {
        Some(Either::Left(types)) => types.iter().map(TypeInfo::name).collect::<Vec<_>>().join(","),
        other => format!("none: {}", other.is_none()),
    };
    Ok(format!("{columns:?} of {parameters}"))
}

async fn statement_described(ground: Ground) -> Seen {
    ground.prepare(PEOPLE).await;
    described(&ground, "select id, name, born, 1 + 1 as two from people where id = $1 and name = $2").await
}

async fn statement_described_with_nullability(ground: Ground) -> Seen {
    ground.prepare(PEOPLE).await;
    let one =
        described(&ground, "select a.id, b.name, a.born from people as a left join people as b on a.id = b.id + $1")
            .await?;
    let two = described(&ground, "insert into people (name) values ($1) returning id, name, tags").await?;
    Ok(one + &two)
}

async fn statement_of_ddl_described(ground: Ground) -> Seen {
    let one = described(&ground, "create table made (i int)").await?;
    let two = described(&ground, "update nowhere set a = 1").await;
    Ok(one + &seen::outcome(&two))
}

async fn statement_after_its_table_changed(ground: Ground) -> Seen {
    ground.prepare("create table things (a int); insert into things values (1)").await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    let names = || sqlx::query("select a from things");
    seen += &seen::row(&names().fetch_one(&pool).await?);
    ground.prepare("alter table things add column b text default 'new'").await;
    seen += &seen::row(&names().fetch_one(&pool).await?);
    let all = sqlx::query("select * from things").fetch_one(&pool).await?;
    seen += &seen::row(&all);
    Ok(seen)
}

async fn statement_after_its_table_was_made_anew(ground: Ground) -> Seen {
    ground.prepare("create table things (a int); insert into things values (1)").await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for _ in 0..2 {
        seen += &seen::row(&sqlx::query("select a from things where a = $1").bind(1).fetch_one(&pool).await?);
        sqlx::raw_sql("drop table things; create table things (z int, a int); insert into things values (2, 1)")
            .execute(&pool)
            .await?;
    }
    Ok(seen)
}

async fn statement_that_failed_at_first(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for divisor in [0, 2, 0, 5] {
        let result = sqlx::query_scalar::<_, i32>("select 10 / $1").bind(divisor).fetch_one(&pool).await;
        seen += &seen::outcome(&result);
    }
    Ok(seen)
}

async fn statement_whose_parse_failed_is_tried_again(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for round in 0..3 {
        let result = sqlx::query("select a from later").fetch_all(&pool).await.map(|rows| seen::rows(&rows));
        seen += &seen::outcome(&result);
        if round == 1 {
            ground.prepare("create table later (a int); insert into later values (7)").await;
        }
    }
    Ok(seen)
}

async fn statement_with_untyped_parameters(ground: Ground) -> Seen {
    ground.prepare(PEOPLE).await;
    let pool = ground.single().await?;
    let rows = sqlx::query("select name from people where born is not distinct from $1")
        .bind(None::<chrono::NaiveDate>)
        .fetch_all(&pool)
        .await?;
    let more = sqlx::query("select $1::date as d, $2::text[] as t")
        .bind(None::<chrono::NaiveDate>)
        .bind(Some(vec!["x"]))
        .fetch_one(&pool)
        .await?;
    Ok(seen::rows(&rows) + &seen::row(&more))
}

async fn statement_whose_parameters_are_converted(ground: Ground) -> Seen {
    ground.prepare(PEOPLE).await;
    let pool = ground.single().await?;
    // The declared type decides which operator is meant.
    let row = sqlx::query(
        "select $1 = 1 as a, $2 || 'b' as b, $3::int8 + 1 as c, id = $1 as d from people where id = $1::int4",
    )
    .bind(1_i16)
    .bind("a")
    .bind(7_i32)
    .fetch_one(&pool)
    .await;
    let wrong =
        sqlx::query("select * from people where name = $1").bind(1).fetch_all(&pool).await.map(|rows| rows.len());
    Ok(format!("{} {}", seen::outcome(&row.map(|row| seen::row(&row))), seen::outcome(&wrong)))
}

async fn stream_dropped_midway(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for _ in 0..3 {
        {
            let mut rows = sqlx::query("select i, repeat('x', 100) from generate_series(1, 20000) as i").fetch(&pool);
            seen += &seen::row(&rows.try_next().await?.unwrap());
        }
        let count: i64 = sqlx::query_scalar("select count(*) from generate_series(1, 10)").fetch_one(&pool).await?;
        seen += &count.to_string();
    }
    Ok(seen)
}

async fn stream_dropped_unpolled(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int)").await;
    let pool = ground.single().await?;
    drop(sqlx::query("insert into numbers values (1)").fetch(&pool));
    drop(sqlx::query("insert into numbers values (2)").execute(&pool));
    let count: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&pool).await?;
    Ok(count.to_string())
}

async fn stream_dropped_midway_with_parameters(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for last in [10_i32, 10_000] {
        {
            let mut rows = sqlx::query("select i from generate_series(1, $1) as i").bind(last).fetch(&pool);
            rows.try_next().await?;
            rows.try_next().await?;
        }
        seen += &seen::row(&sqlx::query("select $1 as last").bind(last).fetch_one(&pool).await?);
    }
    Ok(seen)
}

/// Reads to the end or the failure, and counts the rows before it.
async fn read(rows: impl futures_util::Stream<Item = sqlx::Result<sqlx::postgres::PgRow>>) -> (usize, String) {
    let mut rows = std::pin::pin!(rows);
    let mut count = 0;
    loop {
        match rows.try_next().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => return (count, "no failure".to_owned()),
            Err(error) => return (count, seen::error(&error)),
        }
    }
}

async fn stream_that_fails_midway(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let (_, raw) = read(sqlx::raw_sql("select 10 / (3000 - i) from generate_series(1, 5000) as i").fetch(&pool)).await;
    let mut seen = String::new();
    for zero in [3000, 0, 5] {
        let rows = sqlx::query("select 10 / ($1 - i) as q from generate_series(1, 4000) as i").bind(zero).fetch(&pool);
        let (_, failure) = read(rows).await;
        seen += &failure;
    }
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{raw} {seen} {after}"))
}

/// A response that fails within its first mebibyte is the failure alone.
async fn stream_that_fails_midway_gives_rows_before(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let rows = sqlx::query("select 10 / (3000 - i) as q from generate_series(1, 5000) as i").fetch(&pool);
    let (count, failure) = read(rows).await;
    Ok(format!("{count} rows, {failure}"))
}

async fn stream_of_raw_sql_dropped(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int)").await;
    let pool = ground.single().await?;
    {
        let mut results = sqlx::raw_sql("insert into numbers values (1); select i from generate_series(1, 9000) as i; insert into numbers values (2)").fetch(&pool);
        results.try_next().await?;
    }
    // What was sent is executed, whether or not anybody reads of it.
    let count: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&pool).await?;
    Ok(count.to_string())
}

async fn future_dropped_in_mid_statement(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int)").await;
    let pool = ground.single().await?;
    let insert =
        |seconds: f64| sqlx::query("insert into numbers select 1 from pg_sleep($1)").bind(seconds).execute(&pool);
    // Prepared before, so that it is on its way at the first poll.
    insert(0.0).await?;
    let late = tokio::time::timeout(std::time::Duration::from_millis(50), insert(0.3)).await.is_err();
    // The connection reads what the statement gave before it goes on.
    let count: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&pool).await?;
    Ok(format!("{late} {count}"))
}

async fn close_of_evicted_statements_is_clean(ground: Ground) -> Seen {
    use std::fmt::Write as _;
    let options = ground.options().statement_cache_capacity(1);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let mut seen = String::new();
    for text in
        ["select 1 as a", "selec", "select 2 as b", "select 1/0", "select 3 as c", "select nonsense", "select 1 as a"]
    {
        let row = sqlx::query(text).fetch_one(&pool).await.map(|row| seen::row(&row));
        writeln!(seen, "{}", seen::outcome(&row)).unwrap();
    }
    Ok(seen)
}

async fn pings_between_statements(ground: Ground) -> Seen {
    use sqlx::Connection;
    let mut connection = ground.connection().await?;
    let mut seen = String::new();
    for number in 0..3_i32 {
        connection.ping().await?;
        let row = sqlx::query("select $1 as it").bind(number).fetch_one(&mut connection).await?;
        connection.ping().await?;
        seen += &format!("{}", row.get::<i32, _>(0));
    }
    connection.close().await?;
    Ok(seen)
}
