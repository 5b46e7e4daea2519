use std::error::Error as _;

use sqlx::{
    Encode, Executor, Postgres, Row, SqlSafeStr, Statement, Type, error::ErrorKind, postgres::PgArgumentBuffer,
};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    error_of_syntax_has_its_position,
    error_in_a_script_has_its_position,
    error_of_unknown_names,
    error_of_constraints_names_them,
    error_kinds,
    error_with_all_its_fields,
    error_inside_a_function_says_where,
    error_of_a_division_by_zero,
    error_of_a_statement_timeout,
    error_of_a_cancel,
    error_of_permission,
    error_of_too_few_parameters,
    error_of_too_many_parameters,
    error_of_a_wrong_number_of_parameters,
    error_of_a_parameter_out_of_range,
    error_of_a_nul_in_a_text,
    error_of_a_read_only_session,
    error_of_a_parameter_that_cannot_be_encoded,
    error_of_a_column_that_cannot_be_decoded,
    error_of_a_column_that_is_not_there,
    error_of_mismatched_types,
    error_of_a_null_for_a_value,
    error_of_an_unknown_type,
    error_of_ambiguous_parameters,
    error_with_wide_characters,
    error_with_a_long_message,
    error_by_raise_of_each_level,
    error_of_a_connection_that_was_terminated,
    error_of_a_database_that_is_not_there,
    error_after_rows_were_read,
    error_of_an_assertion,
    error_leaves_others_alone,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors() {
    super::compare(CASES).await;
}

async fn failures(ground: &Ground, texts: &[&'static str]) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in texts {
        for _ in 0..2 {
            let failure = sqlx::query(*text).fetch_all(&pool).await.map(|rows| seen::rows(&rows));
            seen += &format!("{}\n", seen::outcome(&failure));
        }
        let failure = sqlx::raw_sql(*text).fetch_all(&pool).await.map(|rows| seen::rows(&rows));
        seen += &format!("{}\n", seen::outcome(&failure));
    }
    Ok(seen)
}

async fn error_of_syntax_has_its_position(ground: Ground) -> Seen {
    failures(
        &ground,
        &[
            "selec 1",
            "select 1 +",
            "select 'é', from",
            "\n\n  select (1",
            "select 'open",
            "with a as (select 1) selec 2",
            "insert into",
        ],
    )
    .await
}

async fn error_in_a_script_has_its_position(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in ["  select nonsense", "/* é */ select nonsense;"] {
        let failure = sqlx::raw_sql(text).execute(&pool).await.map(|done| done.rows_affected());
        seen += &format!("{}\n", seen::outcome(&failure));
    }
    Ok(seen)
}

async fn error_of_unknown_names(ground: Ground) -> Seen {
    ground.prepare("create table things (id int, name text)").await;
    failures(
        &ground,
        &[
            "select * from nowhere",
            "select nam from things",
            "select things.idd from things",
            "select no_function(1)",
            "select 1::no_type",
            "select lower(1, 2)",
            "select 'a' + 1::bytea",
            "insert into things (nothing) values (1)",
            "drop table nowhere",
            "select * from no_schema.things",
            "select id, count(*) from things",
        ],
    )
    .await
}

const RULES: &str = "create table parents (id int primary key);
    create table rules (
        id int constraint one_of_a_kind unique,
        amount int constraint positive check (amount > 0),
        name text not null default 'x',
        parent int constraint has_parent references parents,
        span int4range constraint no_overlap_alone check (not isempty(span)));
    create domain small as int constraint is_small check (value < 10);
    insert into rules (id, amount) values (1, 1)";

async fn error_of_constraints_names_them(ground: Ground) -> Seen {
    ground.prepare(RULES).await;
    failures(
        &ground,
        &[
            "insert into rules (id) values (1)",
            "insert into rules (amount) values (-1)",
            "insert into rules (name) values (null)",
            "insert into rules (parent) values (5)",
            "select 11::small",
            "insert into rules (id) values (99999999999)",
            "insert into rules (id) values ('x')",
            "select 'abc'::int",
            "select '2024-13-01'::date",
            "select 'x'::char(1)::bit",
            "select 2147483647 + 1",
        ],
    )
    .await
}

async fn error_kinds(ground: Ground) -> Seen {
    ground.prepare(RULES).await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in [
        "insert into rules (id) values (1)",
        "insert into rules (amount) values (-1)",
        "insert into rules (name) values (null)",
        "insert into rules (parent) values (5)",
        "select 1/0",
    ] {
        let error = sqlx::query(text).execute(&pool).await.unwrap_err();
        let error = error.as_database_error().unwrap();
        let kind = match error.kind() {
            ErrorKind::UniqueViolation => "unique",
            ErrorKind::ForeignKeyViolation => "foreign key",
            ErrorKind::NotNullViolation => "not null",
            ErrorKind::CheckViolation => "check",
            _ => "other",
        };
        seen += &format!("{kind} {:?} {:?}; ", error.constraint(), error.table());
    }
    Ok(seen)
}

async fn error_with_all_its_fields(ground: Ground) -> Seen {
    ground
        .prepare(
            "create function fail(text) returns int language plpgsql as $$ begin
                raise exception 'failed with %', $1 using errcode = 'P1234', detail = 'the détail', hint = 'the hint',
                    column = 'the_column', constraint = 'the_constraint', datatype = 'the_type', table = 'the_table', schema = 'the_schema';
            end $$",
        )
        .await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for _ in 0..2 {
        let failure = sqlx::query("select fail($1)").bind("é\n\"x\"").fetch_one(&pool).await.map(|row| seen::row(&row));
        seen += &seen::outcome(&failure);
    }
    Ok(seen)
}

async fn error_inside_a_function_says_where(ground: Ground) -> Seen {
    ground
        .prepare(
            "create function inner_one(i int) returns int language plpgsql as $$ begin return 1 / i; end $$;
             create function outer_one(i int) returns int language plpgsql as $$ declare r int; begin select inner_one(i) into r; return r; end $$;
             create function broken() returns int language plpgsql as $$ begin return (select nonsense from nowhere); end $$;
             create function dynamic() returns int language plpgsql as $$ begin execute 'selec 1'; return 1; end $$",
        )
        .await;
    failures(&ground, &["select outer_one(0)", "select broken()", "select dynamic()"]).await
}

async fn error_of_a_division_by_zero(ground: Ground) -> Seen {
    failures(
        &ground,
        &[
            "select 1/0",
            "select i / (i - 3) from generate_series(1, 5) as i",
            "select 1.0 / 0.0::numeric",
            "select 1 % 0",
        ],
    )
    .await
}

async fn error_of_a_statement_timeout(ground: Ground) -> Seen {
    let options = ground.options().options([("statement_timeout", "100")]);
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let mut seen = String::new();
    for text in ["select pg_sleep(5)", "select 1"] {
        let result = sqlx::query(text).execute(&pool).await.map(|done| done.rows_affected());
        seen += &seen::outcome(&result);
    }
    Ok(seen)
}

async fn error_of_a_cancel(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let task = tokio::spawn({
        let pool = pool.clone();
        async move { sqlx::query("select pg_sleep(30), 'this one'").execute(&pool).await.map(drop) }
    });
    let mut control = ground.control().await;
    loop {
        let cancelled: Vec<bool> = sqlx::query_scalar(
            "select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
             and query like '%this one%' and wait_event = 'PgSleep'",
        )
        .fetch_all(&mut control)
        .await
        .unwrap();
        if !cancelled.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let seen = seen::outcome(&task.await.unwrap());
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{seen} {after}"))
}

async fn error_of_permission(ground: Ground) -> Seen {
    failures(
        &ground,
        &[
            "select * from pg_authid",
            "create role somebody",
            "alter system set work_mem = '1MB'",
            "select pg_read_file('/etc/hostname')",
        ],
    )
    .await
}

async fn error_of_too_many_parameters(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut query = sqlx::query("select 1");
    for number in 0..65_536_i32 {
        query = query.bind(number);
    }
    let failure = query.execute(&pool).await.map(|done| done.rows_affected());
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{} {after}", seen::outcome(&failure)))
}

async fn error_of_a_wrong_number_of_parameters(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for (text, given) in [("select $1::int4 + $2::int4 as it", 1), ("select $1::int4 as it", 3), ("select 1 as it", 1)]
    {
        for persistent in [true, true, false] {
            let mut query = sqlx::query(text).persistent(persistent);
            for number in 0..given {
                query = query.bind(number);
            }
            let outcome = query.fetch_all(&pool).await.map(|rows| seen::rows(&rows));
            seen += &format!("{}\n", seen::outcome(&outcome));
        }
    }
    for text in ["create table made (a int)", "create table made (a int default $1)", "select 1; select 2"] {
        let outcome = sqlx::query(text).bind(1).execute(&pool).await.map(|done| done.rows_affected());
        seen += &format!("{}\n", seen::outcome(&outcome));
    }
    // What was prepared for as many as its text has is given fewer, and more.
    let statement = pool.acquire().await?.prepare("select $1::int4 + $2::int4 as it".into_sql_str()).await?;
    for given in [0, 1, 3] {
        let mut query = statement.query();
        for number in 0..given {
            query = query.bind(number);
        }
        let outcome = query.fetch_all(&pool).await.map(|rows| seen::rows(&rows));
        seen += &format!("{}\n", seen::outcome(&outcome));
    }
    Ok(seen)
}

/// Fails when it is encoded.
struct Stubborn;

impl Type<Postgres> for Stubborn {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <i32 as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Stubborn {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Err("will not be encoded".into())
    }
}

async fn error_of_a_parameter_that_cannot_be_encoded(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let failure = sqlx::query("select $1").bind(Stubborn).fetch_one(&pool).await.map(|row| seen::row(&row));
    let source = failure.as_ref().err().and_then(|error| error.source()).map(ToString::to_string);
    let after: i32 = sqlx::query_scalar("select $1").bind(5).fetch_one(&pool).await?;
    Ok(format!("{} {source:?} {after}", seen::outcome(&failure)))
}

async fn error_of_a_column_that_cannot_be_decoded(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select 'x' as text, 1.5::numeric as number").fetch_one(&pool).await?;
    let json = sqlx::query("select '[1]'::jsonb as it").fetch_one(&pool).await?;
    Ok([
        seen::outcome(&row.try_get::<i32, _>("text")),
        seen::outcome(&row.try_get::<f64, _>("number")),
        seen::outcome(&json.try_get::<sqlx::types::Json<std::collections::BTreeMap<String, i32>>, _>(0)),
        seen::outcome(&json.try_get::<Vec<i32>, _>(0)),
    ]
    .join("\n"))
}

async fn error_of_a_column_that_is_not_there(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let failure = sqlx::query_as::<_, (i32, i32)>("select 1 as only").fetch_one(&pool).await;
    let named = sqlx::query("select 1 as only").fetch_one(&pool).await?.try_get::<i32, _>("other");
    Ok(format!("{} {}", seen::outcome(&failure), seen::outcome(&named)))
}

async fn error_of_mismatched_types(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let scalar = sqlx::query_scalar::<_, String>("select 1").fetch_one(&pool).await;
    let tuple = sqlx::query_as::<_, (i64, bool)>("select 1::int8, 'no'").fetch_all(&pool).await;
    let array = sqlx::query_scalar::<_, Vec<i64>>("select array[1, 2]").fetch_one(&pool).await;
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{} {} {} {after}", seen::outcome(&scalar), seen::outcome(&tuple), seen::outcome(&array)))
}

async fn error_of_a_null_for_a_value(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let scalar = sqlx::query_scalar::<_, i32>("select null::int").fetch_one(&pool).await;
    let array = sqlx::query_scalar::<_, Vec<i32>>("select array[1, null]").fetch_one(&pool).await;
    Ok(format!("{} {}", seen::outcome(&scalar), seen::outcome(&array)))
}

#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "never_made")]
enum NeverMade {
    One,
}

async fn error_of_an_unknown_type(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let failure = sqlx::query("select $1").bind(NeverMade::One).fetch_one(&pool).await.map(|row| seen::row(&row));
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{} {after}", seen::outcome(&failure)))
}

async fn error_of_ambiguous_parameters(ground: Ground) -> Seen {
    use sqlx::SqlSafeStr;
    let mut connection = ground.connection().await?;
    let mut seen = String::new();
    for text in ["select $1 + $2", "select $1 is null", "select $2::int"] {
        let prepared = connection.prepare(text.into_sql_str()).await.map(|_| "prepared");
        seen += &format!("{}\n", seen::outcome(&prepared));
    }
    Ok(seen)
}

async fn error_with_wide_characters(ground: Ground) -> Seen {
    failures(&ground, &["select '漢字🦀', nichts", "select \"naïve\" from (select 1) as ü", "select 'é'::int"]).await
}

async fn error_with_a_long_message(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let failure =
        sqlx::query("do $$ begin raise exception '%', repeat('long ', 20000); end $$").execute(&pool).await.map(drop);
    let text = seen::outcome(&failure);
    Ok(format!("{} {}", text.len(), text.get(..80).unwrap_or_default()))
}

async fn error_by_raise_of_each_level(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in [
        "do $$ begin raise notice 'noticed'; end $$",
        "do $$ begin raise warning 'warned'; end $$",
        "do $$ begin raise info 'informed'; end $$",
        "do $$ begin raise exception sqlstate '00123' using message = 'odd'; end $$",
        "do $$ begin raise division_by_zero; end $$",
        "do $$ begin raise exception using errcode = '57014'; end $$",
    ] {
        seen += &format!("{}\n", seen::outcome(&sqlx::query(text).execute(&pool).await.map(drop)));
    }
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{seen} {after}"))
}

/// Whether the connection is usable, and what a pool does afterwards.
async fn error_of_a_connection_that_was_terminated(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let failure = sqlx::query("select pg_terminate_backend(pg_backend_pid())").execute(&pool).await;
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{} {after}", failure.is_err()))
}

async fn error_of_a_database_that_is_not_there(ground: Ground) -> Seen {
    use sqlx::Connection;
    let connected = sqlx::PgConnection::connect_with(&ground.options().database("not there")).await;
    let mut connection = match connected {
        Ok(connection) => connection,
        Err(error) => return Ok(seen::error(&error)),
    };
    Ok(seen::outcome(&connection.execute("select 1").await.map(drop)))
}

async fn error_after_rows_were_read(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int); insert into numbers values (1), (2), (0), (4)").await;
    let pool = ground.single().await?;
    let all =
        sqlx::query("update numbers set i = 10 / i returning i").fetch_all(&pool).await.map(|rows| seen::rows(&rows));
    let one = sqlx::query("select 10 / i from numbers").fetch_one(&pool).await.map(|row| seen::row(&row));
    let kept: Vec<i32> = sqlx::query_scalar("select i from numbers order by i").fetch_all(&pool).await?;
    Ok(format!("{} {} {kept:?}", seen::outcome(&all), seen::outcome(&one)))
}

async fn error_of_an_assertion(ground: Ground) -> Seen {
    failures(&ground, &["do $$ begin assert 1 = 2, 'one is not two'; end $$", "do $$ begin perform 1/0; exception when division_by_zero then raise exception 'caught' using errcode = '22000'; end $$"]).await
}

async fn error_leaves_others_alone(ground: Ground) -> Seen {
    let pool = ground.pool_with(sqlx::postgres::PgPoolOptions::new().max_connections(3)).await?;
    let tasks: Vec<_> = (0..9_i32)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                seen::outcome(&sqlx::query_scalar::<_, i32>("select 12 / ($1 % 3)").bind(number).fetch_one(&pool).await)
            })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    Ok(seen.join("\n"))
}

/// The statement has a name of its own on each road.
fn unnamed(seen: String) -> String {
    let Some((before, rest)) = seen.split_once("prepared statement \"") else { return seen };
    let Some((_, after)) = rest.split_once('"') else { return seen };
    format!("{before}prepared statement{}", after.split(';').next().unwrap_or_default())
}

async fn error_of_too_few_parameters(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let few = sqlx::query("select $1::int, $2::int").bind(1).fetch_all(&pool).await.map(|rows| rows.len());
    let none = sqlx::query("select $1::int").fetch_all(&pool).await.map(|rows| rows.len());
    let many = sqlx::query("select $1::int").bind(1).bind(2).fetch_all(&pool).await.map(|rows| rows.len());
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    let seen = [&few, &none, &many].map(|failure| unnamed(seen::outcome(failure)));
    Ok(format!("{} {after}", seen.join("\n")))
}

async fn error_of_a_parameter_out_of_range(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let far = sqlx::query("select $1::int2").bind(70_000).fetch_one(&pool).await.map(|row| seen::row(&row));
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{} {after}", seen::outcome(&far)))
}

async fn error_of_a_nul_in_a_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let nul = sqlx::query("select $1 as it").bind("a\0b").fetch_one(&pool).await.map(|row| seen::row(&row));
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    assert_eq!(after, 1);
    nul
}

async fn error_of_a_read_only_session(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int)").await;
    let options = ground.options().options([("default_transaction_read_only", "on")]);
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let refused = sqlx::query("insert into numbers values (1)").execute(&pool).await.map(drop);
    let read: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&pool).await?;
    Ok(format!("{} {read}", seen::outcome(&refused)))
}
