use sqlx::{
    Column, Executor, PgPool, Row, TypeInfo, ValueRef,
    postgres::{PgPoolOptions, types::PgRange},
};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    user_enum_as_a_result,
    user_enum_as_a_parameter,
    user_enum_arrays,
    user_enum_of_numbers,
    user_enum_in_text,
    user_enum_altered_while_connected,
    user_composite_as_a_result,
    user_composite_as_a_parameter,
    user_composite_arrays,
    user_composite_nested,
    user_composite_with_nulls,
    user_composite_of_a_table,
    user_domain_as_a_result,
    user_domain_as_a_parameter,
    user_domain_over_others,
    user_domain_arrays,
    user_range,
    user_types_made_in_the_same_transaction,
    user_types_made_by_the_same_connection,
    user_types_made_anew_while_connected,
    user_types_made_by_another_while_connected,
    user_types_in_another_schema_by_name,
    user_types_on_each_connection_of_a_pool,
    user_types_in_a_raw_result,
    user_types_that_are_null,
    user_types_returned_by_a_write,
    user_types_of_a_parameter_and_a_result_at_once,
    user_types_by_name_of_the_column,
    user_types_in_builder_values,
    user_transparent_types,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_types() {
    super::compare(CASES).await;
}

const MADE: &str = "create type mood as enum ('sad', 'ok', 'happy');
    create type pair as (name text, amount int);
    create type nest as (label text, inner_pair pair, moods mood[]);
    create domain positive as int check (value > 0);
    create domain gentle as mood check (value <> 'sad');
    create domain pairs as pair[];
    create type float_range as range (subtype = float8);
    create table people (id int primary key, feels mood not null, owns pair, counts positive, soft gentle, many pair[], spans float_range);
    insert into people values (1, 'happy', ('apples', 3), 5, 'ok', array[('a', 1), (null, 2)]::pair[], '[1.5,2.5)'),
                              (2, 'sad', null, null, null, null, null)";

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Sad,
    Ok,
    Happy,
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "pair")]
struct Pair {
    name: Option<String>,
    amount: Option<i32>,
}

impl Pair {
    fn of(name: &str, amount: i32) -> Self {
        Self { name: Some(name.to_owned()), amount: Some(amount) }
    }
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "nest")]
struct Nest {
    label: String,
    inner_pair: Pair,
    moods: Vec<Mood>,
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "positive")]
struct Positive(i32);

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(transparent)]
struct Plain(i32);

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(transparent, no_pg_array)]
struct Label(String);

async fn made(ground: &Ground) -> sqlx::Result<PgPool> {
    ground.prepare(MADE).await;
    ground.single().await
}

async fn user_enum_as_a_result(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let moods: Vec<Mood> = sqlx::query_scalar("select feels from people order by id").fetch_all(&pool).await?;
    let rows = sqlx::query("select feels, feels::text from people order by id").fetch_all(&pool).await?;
    Ok(format!("{moods:?} {}", seen::rows(&rows)))
}

async fn user_enum_as_a_parameter(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let ids: Vec<i32> =
        sqlx::query_scalar("select id from people where feels = $1").bind(Mood::Happy).fetch_all(&pool).await?;
    let back: Mood = sqlx::query_scalar("select $1").bind(Mood::Ok).fetch_one(&pool).await?;
    let done = sqlx::query("update people set feels = $1 where id = $2").bind(Mood::Sad).bind(1).execute(&pool).await?;
    Ok(format!("{ids:?} {back:?} {}", done.rows_affected()))
}

async fn user_enum_arrays(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let all: Vec<Mood> = sqlx::query_scalar("select enum_range(null::mood)").fetch_one(&pool).await?;
    let ids: Vec<i32> = sqlx::query_scalar("select id from people where feels = any($1) order by id")
        .bind(vec![Mood::Sad, Mood::Happy])
        .fetch_all(&pool)
        .await?;
    let some: Vec<Option<Mood>> =
        sqlx::query_scalar("select $1").bind(vec![Some(Mood::Ok), None]).fetch_one(&pool).await?;
    Ok(format!("{all:?} {ids:?} {some:?}"))
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[repr(i32)]
enum Level {
    Low = 1,
    High = 2,
}

async fn user_enum_of_numbers(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let level: Level = sqlx::query_scalar("select $1").bind(Level::High).fetch_one(&pool).await?;
    let wrong = sqlx::query_scalar::<_, Level>("select 3").fetch_one(&pool).await;
    Ok(format!("{level:?} {} {}", seen::outcome(&wrong), Level::Low as i32))
}

async fn user_enum_in_text(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row = sqlx::raw_sql("select feels, array['ok', 'sad']::mood[] as several from people where id = 1")
        .fetch_one(&pool)
        .await?;
    Ok(format!("{} {}", seen::row(&row), seen::outcome(&row.try_get::<Mood, _>(0))))
}

async fn user_enum_altered_while_connected(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let first: Mood = sqlx::query_scalar("select feels from people where id = 1").fetch_one(&pool).await?;
    ground.prepare("alter type mood add value 'calm'").await;
    ground.prepare("insert into people (id, feels) values (3, 'calm')").await;
    let label: String = sqlx::query_scalar("select feels::text from people where id = 3").fetch_one(&pool).await?;
    let unknown = sqlx::query_scalar::<_, Mood>("select feels from people where id = 3").fetch_one(&pool).await;
    ground.prepare("alter type mood rename to humour").await;
    let after = sqlx::query_scalar::<_, i32>("select id from people where feels = 'happy'").fetch_one(&pool).await?;
    Ok(format!("{first:?} {label} {} {after}", seen::outcome(&unknown)))
}

async fn user_composite_as_a_result(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let pair: Pair = sqlx::query_scalar("select owns from people where id = 1").fetch_one(&pool).await?;
    let again: Pair = sqlx::query_scalar("select row('x', $1)::pair").bind(9).fetch_one(&pool).await?;
    Ok(format!("{pair:?} {again:?}"))
}

async fn user_composite_as_a_parameter(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let back: Pair = sqlx::query_scalar("select $1").bind(Pair::of("quo\"te, (x)", -1)).fetch_one(&pool).await?;
    let amount: i32 =
        sqlx::query_scalar("select ($1::pair).amount + 1").bind(Pair::of("a", 41)).fetch_one(&pool).await?;
    let done =
        sqlx::query("update people set owns = $1").bind(Pair { name: None, amount: Some(0) }).execute(&pool).await?;
    Ok(format!("{back:?} {amount} {}", done.rows_affected()))
}

async fn user_composite_arrays(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let many: Vec<Pair> = sqlx::query_scalar("select many from people where id = 1").fetch_one(&pool).await?;
    let back: Vec<Pair> =
        sqlx::query_scalar("select $1").bind(vec![Pair::of("a", 1), Pair::of("", 2)]).fetch_one(&pool).await?;
    let aggregated: Vec<Pair> = sqlx::query_scalar("select array_agg(row(id::text, id)::pair order by id) from people")
        .fetch_one(&pool)
        .await?;
    Ok(format!("{many:?} {back:?} {aggregated:?}"))
}

async fn user_composite_nested(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let nest = Nest { label: "l".into(), inner_pair: Pair::of("p", 7), moods: vec![Mood::Ok, Mood::Happy] };
    let made: Nest =
        sqlx::query_scalar("select row('m', row('n', 2)::pair, array['sad']::mood[])::nest").fetch_one(&pool).await?;
    let back: Nest = sqlx::query_scalar("select $1").bind(nest.clone()).fetch_one(&pool).await?;
    let several: Vec<Nest> = sqlx::query_scalar("select array[$1, $1]").bind(nest.clone()).fetch_one(&pool).await?;
    Ok(format!("{made:?} {} {}", back == nest, several.len()))
}

async fn user_composite_with_nulls(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let pair: Pair = sqlx::query_scalar("select row(null, null)::pair").fetch_one(&pool).await?;
    let none: Option<Pair> = sqlx::query_scalar("select owns from people where id = 2").fetch_one(&pool).await?;
    let sent: Option<Pair> = sqlx::query_scalar("select $1").bind(None::<Pair>).fetch_one(&pool).await?;
    Ok(format!("{pair:?} {none:?} {sent:?}"))
}

#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "small")]
struct Small {
    id: i32,
    name: String,
}

async fn user_composite_of_a_table(ground: Ground) -> Seen {
    ground.prepare("create table small (id int, name text); insert into small values (1, 'one'), (2, 'two')").await;
    let pool = ground.single().await?;
    let rows: Vec<Small> = sqlx::query_scalar("select small from small order by id").fetch_all(&pool).await?;
    let list: Vec<Small> =
        sqlx::query_scalar("select array_agg(s order by id) from small as s").fetch_one(&pool).await?;
    Ok(format!("{rows:?} {list:?}"))
}

async fn user_domain_as_a_result(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row = sqlx::query("select counts, 7::positive as seven from people where id = 1").fetch_one(&pool).await?;
    let number: i32 = row.try_get(0)?;
    let wrapped: Positive = row.try_get(1)?;
    Ok(format!("{} {number} {wrapped:?}", seen::row(&row)))
}

async fn user_domain_as_a_parameter(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let ids: Vec<i32> =
        sqlx::query_scalar("select id from people where counts = $1").bind(Positive(5)).fetch_all(&pool).await?;
    let done = sqlx::query("update people set counts = $1").bind(Positive(6)).execute(&pool).await?;
    Ok(format!("{ids:?} {}", done.rows_affected()))
}

async fn user_domain_over_others(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row = sqlx::query("select soft, soft::text as text from people where id = 1").fetch_one(&pool).await?;
    let type_name = row.column(0).type_info().name().to_owned();
    let refused = sqlx::query("select 'sad'::gentle").fetch_one(&pool).await.map(|row| seen::row(&row));
    let list = sqlx::query("select array[('x', 1)::pair]::pairs as it").fetch_one(&pool).await?;
    let name = list.column(0).type_info().name().to_owned();
    Ok(format!(
        "{type_name} {} {} {name} {}",
        row.try_get::<String, _>(1)?,
        seen::outcome(&refused),
        list.try_get_raw(0)?.is_null()
    ))
}

async fn user_domain_arrays(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row = sqlx::query("select array[1, 2]::positive[] as it").fetch_one(&pool).await?;
    let list = row.try_get::<Vec<Positive>, _>(0);
    Ok(format!("{} {}", row.column(0).type_info().name(), seen::outcome(&list)))
}

async fn user_range(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row = sqlx::query("select spans, lower(spans), float_range(0, 1, '[]') as made from people where id = 1")
        .fetch_one(&pool)
        .await?;
    let span = row.try_get_unchecked::<PgRange<f64>, _>(0)?;
    let names: Vec<_> = row.columns().iter().map(|column| column.type_info().name().to_owned()).collect();
    Ok(format!("{span:?} {names:?}"))
}

async fn user_types_made_in_the_same_transaction(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    transaction
        .execute("create type mood as enum ('sad', 'ok', 'happy'); create type pair as (name text, amount int)")
        .await?;
    let mood: Mood = sqlx::query_scalar("select 'ok'::mood").fetch_one(&mut *transaction).await?;
    let sent: Mood = sqlx::query_scalar("select $1 as it_1").bind(Mood::Happy).fetch_one(&mut *transaction).await?;
    let pair: Pair = sqlx::query_scalar("select row('a', 1)::pair").fetch_one(&mut *transaction).await?;
    let pairs: Vec<Pair> =
        sqlx::query_scalar("select $1 as it_2").bind(vec![Pair::of("b", 2)]).fetch_one(&mut *transaction).await?;
    transaction.rollback().await?;
    let gone = sqlx::query("select 'ok'::mood").fetch_one(&pool).await.map(|row| seen::row(&row));
    // Postgres says which type it does not find by a number that is each database's own.
    let gone = seen::outcome(&gone).replace(|character: char| character.is_ascii_digit(), "#");
    Ok(format!("{mood:?} {sent:?} {pair:?} {pairs:?} {gone}"))
}

async fn user_types_made_by_the_same_connection(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    sqlx::query("create type mood as enum ('sad', 'ok', 'happy')").execute(&pool).await?;
    sqlx::query("create table days (m mood)").execute(&pool).await?;
    let mood: Mood =
        sqlx::query_scalar("insert into days values ($1) returning m").bind(Mood::Sad).fetch_one(&pool).await?;
    pool.execute("create type pair as (name text, amount int)").await?;
    let pair: Pair = sqlx::query_scalar("select $1 as it_1").bind(Pair::of("a", 1)).fetch_one(&pool).await?;
    Ok(format!("{mood:?} {pair:?}"))
}

async fn user_types_made_anew_while_connected(ground: Ground) -> Seen {
    ground.prepare(MADE).await;
    let pool = ground.single().await?;
    let before: Mood = sqlx::query_scalar("select $1 as it").bind(Mood::Happy).fetch_one(&pool).await?;
    ground.prepare("drop type mood cascade; create type mood as enum ('happy', 'other')").await;
    let row = sqlx::query("select 'happy'::mood as it").fetch_one(&pool).await.map(|row| seen::row(&row));
    let labels = sqlx::query("select 'other'::mood as it, array['happy'::mood] as many").fetch_one(&pool).await?;
    let it: String = labels.try_get_unchecked("it")?;
    // Its bytes hold the type's number, which is another in each database.
    let many: Vec<Mood> = labels.try_get("many")?;
    let names: Vec<_> = labels.columns().iter().map(|column| column.type_info().name().to_owned()).collect();
    Ok(format!("{before:?} {} {it} {many:?} {names:?}", seen::outcome(&row)))
}

async fn user_types_made_by_another_while_connected(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    ground.prepare(MADE).await;
    let row = sqlx::query("select 'ok'::mood as it, row('a', 1)::pair as two").fetch_one(&pool).await;
    let row = row.map(|row| seen::row(&row));
    let sent: Mood = sqlx::query_scalar("select $1 as it").bind(Mood::Sad).fetch_one(&pool).await?;
    Ok(format!("{one} {} {sent:?}", seen::outcome(&row)))
}

#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "\"Far Away\".\"Colour\"", rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

async fn user_types_in_another_schema_by_name(ground: Ground) -> Seen {
    ground.prepare("create schema \"Far Away\"; create type \"Far Away\".\"Colour\" as enum ('red', 'green')").await;
    let pool = ground.single().await?;
    let row = sqlx::query("select 'red'::\"Far Away\".\"Colour\" as it").fetch_one(&pool).await?;
    let sent =
        sqlx::query("select $1::text as it").bind(Colour::Green).fetch_one(&pool).await.map(|row| seen::row(&row));
    let listed = sqlx::query("select $1::text as it, 1")
        .bind(vec![Colour::Green, Colour::Red])
        .fetch_one(&pool)
        .await
        .map(|row| seen::row(&row));
    Ok(format!(
        "{} {} {} {}",
        row.column(0).type_info().name(),
        seen::outcome(&row.try_get::<Colour, _>(0)),
        seen::outcome(&sent),
        seen::outcome(&listed)
    ))
}

async fn user_types_on_each_connection_of_a_pool(ground: Ground) -> Seen {
    ground.prepare(MADE).await;
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(4)).await?;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let row = sqlx::query("select owns, feels, many, pg_sleep(0.02) from people where id = 1")
                    .fetch_one(&pool)
                    .await?;
                let read = (row.try_get::<Pair, _>(0)?, row.try_get::<Mood, _>(1)?, row.try_get::<Vec<Pair>, _>(2)?);
                Ok::<_, sqlx::Error>(format!(
                    "{read:?}
"
                ))
            })
        })
        .collect();
    let mut seen = String::new();
    for task in tasks {
        seen += &task.await.unwrap()?;
    }
    Ok(seen)
}

async fn user_types_in_a_raw_result(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row =
        sqlx::raw_sql("select feels, owns, counts, many, spans from people where id = 1").fetch_one(&pool).await?;
    Ok(seen::row(&row))
}

async fn user_types_that_are_null(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row =
        sqlx::query("select feels, owns, counts, soft, many, spans from people where id = 2").fetch_one(&pool).await?;
    let read = (
        row.try_get::<Mood, _>(0)?,
        row.try_get::<Option<Pair>, _>(1)?,
        row.try_get::<Option<i32>, _>(2)?,
        row.try_get::<Option<Vec<Pair>>, _>(4)?,
    );
    let names: Vec<_> = row.columns().iter().map(|column| column.type_info().name().to_owned()).collect();
    Ok(format!("{read:?} {names:?}"))
}

async fn user_types_returned_by_a_write(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row =
        sqlx::query("insert into people (id, feels, owns, many) values ($1, $2, $3, $4) returning feels, owns, many")
            .bind(9)
            .bind(Mood::Ok)
            .bind(Pair::of("new", 1))
            .bind(vec![Pair::of("x", 2)])
            .fetch_one(&pool)
            .await?;
    Ok(format!(
        "{:?} {:?} {:?}",
        row.try_get::<Mood, _>(0)?,
        row.try_get::<Pair, _>(1)?,
        row.try_get::<Vec<Pair>, _>(2)?
    ))
}

async fn user_types_of_a_parameter_and_a_result_at_once(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row = sqlx::query("select $1 as mood, $2 as pair, array[$2] as pairs, $3 as several")
        .bind(Mood::Sad)
        .bind(Pair::of("p", 1))
        .bind(vec![Mood::Ok])
        .fetch_one(&pool)
        .await?;
    Ok(format!(
        "{:?} {:?} {:?} {:?}",
        row.try_get::<Mood, _>(0)?,
        row.try_get::<Pair, _>(1)?,
        row.try_get::<Vec<Pair>, _>(2)?,
        row.try_get::<Vec<Mood>, _>(3)?
    ))
}

async fn user_types_by_name_of_the_column(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let row = sqlx::query("select * from people where id = 1").fetch_one(&pool).await?;
    let columns: Vec<_> =
        row.columns().iter().map(|column| format!("{}:{}", column.name(), column.type_info().name())).collect();
    Ok(format!("{columns:?}"))
}

async fn user_types_in_builder_values(ground: Ground) -> Seen {
    let pool = made(&ground).await?;
    let mut insert = sqlx::QueryBuilder::new("insert into people (id, feels, owns) ");
    insert.push_values(10..13, |mut row, id| {
        row.push_bind(id).push_bind(Mood::Ok).push_bind(Pair::of("built", id));
    });
    let done = insert.build().execute(&pool).await?;
    let pairs: Vec<Pair> =
        sqlx::query_scalar("select owns from people where id >= 10 order by id").fetch_all(&pool).await?;
    Ok(format!("{} {pairs:?}", done.rows_affected()))
}

async fn user_transparent_types(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let number: Plain = sqlx::query_scalar("select $1 as it_1").bind(Plain(4)).fetch_one(&pool).await?;
    let label: Label = sqlx::query_scalar("select $1 as it_2").bind(Label("x".into())).fetch_one(&pool).await?;
    let list: Vec<Plain> =
        sqlx::query_scalar("select $1 as it_3").bind(vec![Plain(1), Plain(2)]).fetch_one(&pool).await?;
    Ok(format!("{number:?} {label:?} {list:?}"))
}
