use futures_util::{StreamExt, TryStreamExt};
use sqlx::{Either, Executor, FromRow, Postgres, QueryBuilder, Row};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    query_fetch_all,
    query_fetch_one,
    query_fetch_optional,
    query_fetch_one_without_a_row,
    query_fetch_in_a_stream,
    query_fetch_many,
    query_execute_counts_rows,
    query_execute_many,
    query_as_tuples,
    query_as_structs,
    query_scalars,
    query_mapped,
    query_try_mapped,
    query_with_nulls,
    query_with_one_text_and_two_types,
    query_builder_pushes_values,
    query_builder_pushes_tuples,
    query_builder_unnests,
    raw_sql_of_one_statement,
    raw_sql_of_several_statements,
    raw_sql_fetch_many_tells_the_statements_apart,
    raw_sql_with_a_failure_in_the_middle,
    raw_sql_with_comments_and_dollar_quotes,
    empty_queries,
    executor_by_text,
    duplicate_columns,
    columns_tell_their_origin_and_type,
    reads_by_name_and_index,
    two_queries_by_turns,
    queries_at_once_on_a_pool,
    in_list_by_any,
    statements_that_end_in_semicolons,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries() {
    super::compare(CASES).await;
}

const THINGS: &str = "create table things (id int primary key, name text, price float8);
    insert into things select i, 'thing ' || i, i / 4.0 from generate_series(1, 9) as i";

async fn query_fetch_all(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let rows =
        sqlx::query("select * from things where id > $1 order by id").bind(5).fetch_all(&ground.pool().await?).await?;
    Ok(seen::rows(&rows))
}

async fn query_fetch_one(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    // The first of several.
    let row = sqlx::query("select * from things order by id").fetch_one(&ground.pool().await?).await?;
    Ok(seen::row(&row))
}

async fn query_fetch_optional(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for id in [3, 30] {
        let row = sqlx::query("select name from things where id = $1").bind(id).fetch_optional(&pool).await?;
        seen += &format!("{:?}\n", row.as_ref().map(seen::row));
    }
    Ok(seen)
}

async fn query_fetch_one_without_a_row(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let none = sqlx::query("select name from things where id = 0").fetch_one(&pool).await.map(|row| seen::row(&row));
    let scalar = sqlx::query_scalar::<_, String>("select name from things where id = 0").fetch_one(&pool).await;
    Ok(format!("{} {}", seen::outcome(&none), seen::outcome(&scalar)))
}

async fn query_fetch_in_a_stream(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let mut rows = sqlx::query("select id, name from things order by id").fetch(&pool);
    let mut seen = String::new();
    while let Some(row) = rows.try_next().await? {
        seen += &seen::row(&row);
    }
    Ok(seen)
}

#[expect(deprecated, reason = "it is there for whoever has used it")]
async fn query_fetch_many(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let mut results = sqlx::query("select id from things where id < $1 order by id").bind(3).fetch_many(&pool);
    let mut seen = String::new();
    while let Some(result) = results.try_next().await? {
        seen += &match result {
            Either::Left(done) => format!("{} rows", done.rows_affected()),
            Either::Right(row) => seen::row(&row),
        };
    }
    Ok(seen)
}

async fn query_execute_counts_rows(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in [
        "insert into things values (10, 'ten', null), (11, 'eleven', 1)",
        "update things set price = 0 where id > 7",
        "delete from things where id = 99",
        "select * from things",
        "create index on things (name)",
        "truncate things",
        "create table copies as select 1 as one union all select 2",
        "insert into copies select 3 where false",
    ] {
        seen += &format!("{} ", sqlx::query(text).execute(&pool).await?.rows_affected());
    }
    Ok(seen)
}

#[expect(deprecated, reason = "it is there for whoever has used it")]
async fn query_execute_many(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let done: Vec<_> = sqlx::query("update things set price = $1").bind(1.5).execute_many(&pool).await.collect().await;
    Ok(done.iter().map(|done| seen::outcome(&done.as_ref().map(|done| done.rows_affected()).map_err(copied))).collect())
}

/// The error's text in an error that is owned.
fn copied(error: &sqlx::Error) -> sqlx::Error {
    sqlx::Error::Protocol(seen::error(error))
}

async fn query_as_tuples(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let rows: Vec<(i32, String, Option<f64>)> =
        sqlx::query_as("select id, name, nullif(price, 0.5) from things where id < $1 order by id")
            .bind(4)
            .fetch_all(&pool)
            .await?;
    Ok(format!("{rows:?}"))
}

#[derive(Debug, FromRow)]
#[expect(dead_code, reason = "the fields are read by Debug")]
struct Thing {
    id: i32,
    #[sqlx(rename = "name")]
    called: String,
    #[sqlx(default)]
    absent: Option<i64>,
    #[sqlx(try_from = "f64")]
    price: Price,
}

#[derive(Debug)]
#[expect(dead_code, reason = "the field is read by Debug")]
struct Price(f64);

impl From<f64> for Price {
    fn from(price: f64) -> Self {
        Self(price)
    }
}

async fn query_as_structs(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let things: Vec<Thing> = sqlx::query_as("select * from things where name like $1 order by id desc limit 2")
        .bind("thing%")
        .fetch_all(&pool)
        .await?;
    Ok(format!("{things:?}"))
}

async fn query_scalars(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let count: i64 = sqlx::query_scalar("select count(*) from things").fetch_one(&pool).await?;
    let names: Vec<String> = sqlx::query_scalar("select name from things where id = any($1) order by 1")
        .bind(vec![1, 3, 5])
        .fetch_all(&pool)
        .await?;
    let nothing: Option<String> =
        sqlx::query_scalar("select name from things where id = $1").bind(0).fetch_optional(&pool).await?;
    let null: Option<i32> = sqlx::query_scalar("select null::int").fetch_one(&pool).await?;
    Ok(format!("{count} {names:?} {nothing:?} {null:?}"))
}

async fn query_mapped(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let found: Vec<String> = sqlx::query("select id, name from things where id < $1 order by id")
        .bind(3)
        .map(|row: sqlx::postgres::PgRow| format!("{}={}", row.get::<i32, _>(0), row.get::<&str, _>("name")))
        .fetch_all(&pool)
        .await?;
    Ok(format!("{found:?}"))
}

async fn query_try_mapped(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let failed: sqlx::Result<Vec<i32>> = sqlx::query("select name from things")
        .try_map(|row: sqlx::postgres::PgRow| row.try_get::<i32, _>(0))
        .fetch_all(&pool)
        .await;
    let after: i32 = sqlx::query_scalar("select max(id) from things").fetch_one(&pool).await?;
    Ok(format!("{} {after}", seen::outcome(&failed)))
}

async fn query_with_nulls(ground: Ground) -> Seen {
    let pool = ground.pool().await?;
    let row = sqlx::query("select $1, $2, $3, $4::text is null, coalesce($1, 7)")
        .bind(None::<i32>)
        .bind(None::<String>)
        .bind(None::<Vec<i64>>)
        .bind(None::<String>)
        .fetch_one(&pool)
        .await?;
    Ok(seen::row(&row))
}

/// sqlx keeps a statement by its text alone.
async fn query_with_one_text_and_two_types(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let first = sqlx::query("select $1 as it").bind(1_i32).fetch_one(&pool).await.map(|row| seen::row(&row));
    let second = sqlx::query("select $1 as it").bind("text").fetch_one(&pool).await.map(|row| seen::row(&row));
    let third = sqlx::query("select $1 as it").bind(2_i32).fetch_one(&pool).await.map(|row| seen::row(&row));
    Ok(format!("{}\n{}\n{}", seen::outcome(&first), seen::outcome(&second), seen::outcome(&third)))
}

async fn query_builder_pushes_values(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let mut insert = QueryBuilder::<Postgres>::new("insert into things (id, name, price) ");
    insert.push_values(20..25, |mut row, id| {
        row.push_bind(id).push_bind(format!("number {id}")).push_bind(None::<f64>);
    });
    insert.push(" returning id, name");
    let rows = insert.build().fetch_all(&pool).await?;
    Ok(seen::rows(&rows))
}

async fn query_builder_pushes_tuples(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let mut find = QueryBuilder::<Postgres>::new("select * from things where (id, name) in ");
    find.push_tuples([(1, "thing 1"), (2, "thing 3"), (4, "thing 4")], |mut row, (id, name)| {
        row.push_bind(id).push_bind(name);
    });
    find.push(" and price >= ").push_bind(0.25).push(" order by id");
    let rows = find.build_query_as::<(i32, String, f64)>().fetch_all(&pool).await?;
    Ok(format!("{rows:?}"))
}

async fn query_builder_unnests(ground: Ground) -> Seen {
    let pool = ground.pool().await?;
    let mut query = QueryBuilder::<Postgres>::new("select * from unnest(");
    query
        .push_bind(vec![Some(1), None, Some(3)])
        .push("::int[], ")
        .push_bind(vec!["a", "b", "c"])
        .push("::text[]) as pairs(a, b)");
    let rows = query.build().fetch_all(&pool).await?;
    Ok(seen::rows(&rows))
}

async fn raw_sql_of_one_statement(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let rows = sqlx::raw_sql("select id, name, price, null as nothing, true as yes, '\\x01'::bytea as bytes from things where id < 3 order by id")
        .fetch_all(&ground.pool().await?)
        .await?;
    Ok(seen::rows(&rows))
}

async fn raw_sql_of_several_statements(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let done = sqlx::raw_sql("create table pairs (a int, b int); insert into pairs values (1, 2), (3, 4); update pairs set b = 0; select * from pairs")
        .execute(&pool)
        .await?;
    let rows = sqlx::query("select * from pairs order by a").fetch_all(&pool).await?;
    Ok(format!("{} {}", done.rows_affected(), seen::rows(&rows)))
}

async fn raw_sql_fetch_many_tells_the_statements_apart(ground: Ground) -> Seen {
    let pool = ground.pool().await?;
    let mut results = sqlx::raw_sql("select 1 as a, 'x' as b; select 2 as c where false; select 3 as d union all select 4; create table made (i int); insert into made values (1)")
        .fetch_many(&pool);
    let mut seen = String::new();
    while let Some(result) = results.try_next().await? {
        seen += &match result {
            Either::Left(done) => format!("{} rows; ", done.rows_affected()),
            Either::Right(row) => seen::row(&row),
        };
    }
    Ok(seen)
}

async fn raw_sql_with_a_failure_in_the_middle(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int)").await;
    let pool = ground.single().await?;
    let mut seen = Vec::new();
    {
        let mut results = sqlx::raw_sql("insert into numbers values (1); select 1/0; insert into numbers values (2)")
            .fetch_many(&pool);
        while let Some(result) = results.next().await {
            // How far the statements before it are told is the transport's affair, but the failure ends it.
            if let Err(error) = result {
                seen.push(seen::error(&error));
            }
        }
    }
    let kept: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&pool).await?;
    Ok(format!("{seen:?} {kept}"))
}

async fn raw_sql_with_comments_and_dollar_quotes(ground: Ground) -> Seen {
    let pool = ground.pool().await?;
    let rows = sqlx::raw_sql(
        "-- a comment; with a semicolon
         select $$it's; here$$ as a, $tag$ $$ nested; $$ $tag$ as b; /* one /* nested; */ more; */
         select 'it''s; there' as c, E'\\';' as d, \"x;y\" from (select 1 as \"x;y\") as q;;
         ; -- the end",
    )
    .fetch_all(&pool)
    .await?;
    Ok(seen::rows(&rows))
}

async fn empty_queries(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in ["", ";", " \n", "-- nothing", "/* nothing */;"] {
        let prepared = sqlx::query(text).execute(&pool).await.map(|done| done.rows_affected());
        let raw = sqlx::raw_sql(text).execute(&pool).await.map(|done| done.rows_affected());
        let rows = sqlx::query(text).fetch_all(&pool).await.map(|rows| rows.len());
        seen += &format!("{text:?} {} {} {}\n", seen::outcome(&prepared), seen::outcome(&raw), seen::outcome(&rows));
    }
    Ok(seen)
}

async fn executor_by_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let done = pool.execute("create table t (i int); insert into t values (1), (2)").await?;
    let row = pool.fetch_one("select sum(i) from t").await?;
    let none = pool.fetch_optional("select i from t where i = 9").await?;
    Ok(format!("{} {} {}", done.rows_affected(), seen::row(&row), none.is_none()))
}

async fn duplicate_columns(ground: Ground) -> Seen {
    let pool = ground.pool().await?;
    let row = sqlx::query("select 1 as a, 'two' as a, 3.5::float8 as a, 4 as \"A\"").fetch_one(&pool).await?;
    let by_name: i32 = row.try_get("a").unwrap_or(-1);
    Ok(format!("{} {by_name}", seen::row(&row)))
}

async fn columns_tell_their_origin_and_type(ground: Ground) -> Seen {
    use sqlx::{Column, TypeInfo};
    ground.prepare(THINGS).await;
    let pool = ground.pool().await?;
    let row = sqlx::query("select id, price as cost, id + 1 as next, 'x'::varchar(3) as v, 1.5::numeric(4,2) as n, name::char(2) from things limit 1")
        .fetch_one(&pool)
        .await?;
    let columns: Vec<_> =
        row.columns().iter().map(|c| format!("{} {} {}", c.ordinal(), c.name(), c.type_info().name())).collect();
    Ok(format!("{columns:?} {}", row.len()))
}

async fn reads_by_name_and_index(ground: Ground) -> Seen {
    let pool = ground.pool().await?;
    let row = sqlx::query("select 1 as one, 'two' as two, null::int as three").fetch_one(&pool).await?;
    let seen = [
        seen::outcome(&row.try_get::<i32, _>("one")),
        seen::outcome(&row.try_get::<String, _>(1)),
        seen::outcome(&row.try_get::<Option<i32>, _>("three")),
        seen::outcome(&row.try_get::<i32, _>("three")),
        seen::outcome(&row.try_get::<i64, _>("one")),
        seen::outcome(&row.try_get::<i32, _>("four")),
        seen::outcome(&row.try_get::<i32, _>(4)),
        seen::outcome(&row.try_get_unchecked::<i32, _>("one")),
    ];
    Ok(format!("{seen:?}"))
}

async fn two_queries_by_turns(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.pool_with(sqlx::postgres::PgPoolOptions::new().max_connections(2)).await?;
    let mut outer = sqlx::query("select id from things order by id limit 4").fetch(&pool);
    let mut seen = String::new();
    while let Some(row) = outer.try_next().await? {
        let name: String = sqlx::query_scalar("select name from things where id = $1")
            .bind(row.get::<i32, _>(0))
            .fetch_one(&pool)
            .await?;
        seen += &name;
    }
    Ok(seen)
}

async fn queries_at_once_on_a_pool(ground: Ground) -> Seen {
    let pool = ground.pool_with(sqlx::postgres::PgPoolOptions::new().max_connections(4)).await?;
    let tasks: Vec<_> = (0..16_i32)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(
                async move { sqlx::query_scalar::<_, i32>("select $1 * 2").bind(number).fetch_one(&pool).await },
            )
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap()?);
    }
    Ok(format!("{seen:?}"))
}

async fn in_list_by_any(ground: Ground) -> Seen {
    ground.prepare(THINGS).await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for ids in [vec![1, 2], vec![], vec![9, 9, 100]] {
        let found: Vec<i32> = sqlx::query_scalar("select id from things where id = any($1) order by id")
            .bind(&ids)
            .fetch_all(&pool)
            .await?;
        let others: i64 =
            sqlx::query_scalar("select count(*) from things where id <> all($1)").bind(&ids).fetch_one(&pool).await?;
        seen += &format!("{found:?} {others} ");
    }
    Ok(seen)
}

async fn statements_that_end_in_semicolons(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let one: i32 = sqlx::query_scalar("select $1::int;").bind(4).fetch_one(&pool).await?;
    let two: i32 = sqlx::query_scalar("select 2; -- two").fetch_one(&pool).await?;
    let several = sqlx::query("select 1; select 2").fetch_all(&pool).await.map(|rows| seen::rows(&rows));
    let after: i32 = sqlx::query_scalar("select 3").fetch_one(&pool).await?;
    Ok(format!("{one} {two} {} {after}", seen::outcome(&several)))
}
