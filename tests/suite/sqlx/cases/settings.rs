use sqlx::{Connection, Executor, PgConnection, Row, postgres::PgPoolOptions};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    setting_set_and_shown,
    setting_by_set_config,
    setting_of_the_search_path,
    setting_of_the_time_zone,
    setting_of_the_time_zone_in_the_options,
    setting_of_an_application_name,
    setting_of_options,
    setting_local_to_a_transaction,
    setting_rolled_back,
    setting_reset,
    setting_of_one_connection_is_its_own,
    setting_of_float_digits,
    setting_of_the_date_style,
    setting_of_bytea_output,
    setting_of_the_role,
    setting_discarded,
    setting_read_by_show,
    server_version_is_told,
    settings_of_ones_own,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings() {
    super::compare(CASES).await;
}

async fn shown(connection: &mut PgConnection, name: &str) -> sqlx::Result<String> {
    sqlx::query_scalar("select current_setting($1, true)").bind(name).fetch_one(connection).await
}

async fn setting_set_and_shown(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("set work_mem = '5MB'").await?;
    sqlx::query("set statement_timeout to 12345").execute(&mut connection).await?;
    Ok(format!("{} {}", shown(&mut connection, "work_mem").await?, shown(&mut connection, "statement_timeout").await?))
}

async fn setting_by_set_config(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let set: String =
        sqlx::query_scalar("select set_config('my.tenant', $1, false)").bind("é 42").fetch_one(&mut connection).await?;
    Ok(format!("{set} {}", shown(&mut connection, "my.tenant").await?))
}

async fn setting_of_the_search_path(ground: Ground) -> Seen {
    ground.prepare("create schema mine; create table mine.things as select 1 as i; create table public.things as select 2 as i").await;
    let mut connection = ground.connection().await?;
    let first: i32 = sqlx::query_scalar("select i from things").fetch_one(&mut connection).await?;
    connection.execute("set search_path = mine, public").await?;
    let cached: i32 = sqlx::query_scalar("select i from things").fetch_one(&mut connection).await?;
    let row = sqlx::query("select current_schema(), current_schemas(false)").fetch_one(&mut connection).await?;
    Ok(format!("{first} {cached} {}", seen::row(&row)))
}

async fn setting_of_the_time_zone(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let mut seen = shown(&mut connection, "TimeZone").await?;
    for zone in ["set time zone 'America/New_York'", "set timezone = 'Asia/Kathmandu'", "set time zone local"] {
        connection.execute(zone).await?;
        let row = sqlx::query("select '2024-01-02 03:04:05'::timestamptz as at, date_trunc('day', '2024-01-02 03:04:05+00'::timestamptz) as day, '2024-01-02 03:04:05+00'::timestamptz::text as text")
            .fetch_one(&mut connection)
            .await?;
        seen += &seen::row(&row);
    }
    Ok(seen)
}

async fn setting_of_the_time_zone_in_the_options(ground: Ground) -> Seen {
    let options = ground.options().options([("TimeZone", "Asia/Tokyo")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    let row = sqlx::query("select current_setting('TimeZone'), '2024-01-02 03:04:05'::timestamptz as at")
        .fetch_one(&mut connection)
        .await?;
    let raw = sqlx::raw_sql("select '2024-01-02 03:04:05+00'::timestamptz as at").fetch_one(&mut connection).await?;
    Ok(seen::row(&row) + &seen::row(&raw))
}

async fn setting_of_an_application_name(ground: Ground) -> Seen {
    let mut connection = PgConnection::connect_with(&ground.options().application_name("the app")).await?;
    let name = shown(&mut connection, "application_name").await?;
    let seen: String = sqlx::query_scalar("select application_name from pg_stat_activity where pid = pg_backend_pid()")
        .fetch_one(&mut connection)
        .await?;
    Ok(format!("{name} {seen}"))
}

async fn setting_of_options(ground: Ground) -> Seen {
    ground.prepare("create schema mine; create table mine.things as select 7 as i").await;
    let options = ground.options().options([("search_path", "mine"), ("work_mem", "7MB"), ("my.own", "a b\\c")]);
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await?;
    let row = sqlx::query("select i, current_setting('work_mem'), current_setting('my.own') from things")
        .fetch_one(&pool)
        .await?;
    let raw = sqlx::raw_sql("select i, current_setting('search_path') from things").fetch_one(&pool).await?;
    Ok(seen::row(&row) + &seen::row(&raw))
}

async fn setting_local_to_a_transaction(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let mut transaction = Connection::begin(&mut connection).await?;
    transaction.execute("set local work_mem = '3MB'").await?;
    sqlx::query("select set_config('my.tenant', 'a', true)").execute(&mut *transaction).await?;
    let inside = shown(&mut transaction, "work_mem").await?;
    let tenant = shown(&mut transaction, "my.tenant").await?;
    transaction.commit().await?;
    let after = shown(&mut connection, "work_mem").await?;
    Ok(format!("{inside} {tenant} {after} {:?}", shown(&mut connection, "my.tenant").await?))
}

async fn setting_rolled_back(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let mut transaction = Connection::begin(&mut connection).await?;
    transaction.execute("set work_mem = '3MB'").await?;
    transaction.rollback().await?;
    shown(&mut connection, "work_mem").await
}

async fn setting_reset(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("set work_mem = '3MB'").await?;
    connection.execute("reset work_mem").await?;
    let first = shown(&mut connection, "work_mem").await?;
    connection.execute("set work_mem = '3MB'; set my.own = 'x'").await?;
    connection.execute("reset all").await?;
    Ok(format!("{first} {} {:?}", shown(&mut connection, "work_mem").await?, shown(&mut connection, "my.own").await?))
}

async fn setting_of_one_connection_is_its_own(ground: Ground) -> Seen {
    let mut one = ground.connection().await?;
    let mut other = ground.connection().await?;
    one.execute("set my.own = 'one'").await?;
    other.execute("set my.own = 'other'").await?;
    Ok(format!("{} {}", shown(&mut one, "my.own").await?, shown(&mut other, "my.own").await?))
}

async fn setting_of_float_digits(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("set extra_float_digits = -3").await?;
    let raw = sqlx::raw_sql("select 0.1::float8 + 0.2::float8 as sum, 1.1::float4 as small")
        .fetch_one(&mut connection)
        .await?;
    let row = sqlx::query("select 0.1::float8 + 0.2::float8 as sum").fetch_one(&mut connection).await?;
    Ok(seen::row(&raw) + &seen::row(&row))
}

async fn setting_of_the_date_style(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("set datestyle = 'German, DMY'; set intervalstyle = 'iso_8601'").await?;
    let raw = sqlx::raw_sql("select '03.02.2024'::date as day, '1 day 2 hours'::interval as span")
        .fetch_one(&mut connection)
        .await?;
    let row = sqlx::query("select '03.02.2024'::date as day, $1::date::text as text")
        .bind(chrono::NaiveDate::from_ymd_opt(2024, 5, 6))
        .fetch_one(&mut connection)
        .await?;
    Ok(seen::row(&raw) + &seen::row(&row))
}

async fn setting_of_bytea_output(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("set bytea_output = 'escape'").await?;
    let raw = sqlx::raw_sql("select '\\x00ff41'::bytea as bytes").fetch_one(&mut connection).await?;
    let row = sqlx::query("select '\\x00ff41'::bytea as bytes").fetch_one(&mut connection).await?;
    Ok(seen::row(&raw) + &seen::row(&row))
}

async fn setting_of_the_role(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let refused = connection.execute("set role postgres").await.map(drop);
    connection.execute("set session authorization default").await?;
    let row = sqlx::query("select current_user, session_user").fetch_one(&mut connection).await?;
    Ok(format!("{} {}", seen::outcome(&refused), seen::row(&row)))
}

async fn setting_discarded(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("set my.own = 'x'; create temp table kept (i int); prepare p as select 1; listen news").await?;
    connection.execute("discard all").await?;
    let own = shown(&mut connection, "my.own").await?;
    let gone = sqlx::query("select * from kept").fetch_all(&mut connection).await.map(|rows| rows.len());
    let channels = sqlx::query("select * from pg_listening_channels()").fetch_all(&mut connection).await?;
    Ok(format!("{own:?} {} {}", seen::outcome(&gone), channels.len()))
}

async fn setting_read_by_show(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for text in [
        "show server_encoding",
        "show standard_conforming_strings",
        "show max_identifier_length",
        "show transaction isolation level",
        "show search_path",
        "show client_encoding",
    ] {
        seen += &seen::row(&sqlx::query(text).fetch_one(&pool).await?);
        seen += &seen::row(&sqlx::raw_sql(text).fetch_one(&pool).await?);
    }
    Ok(seen)
}

async fn server_version_is_told(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let told = connection.server_version_num();
    let asked: String = sqlx::query_scalar("show server_version_num").fetch_one(&mut connection).await?;
    Ok(format!("{told:?} {asked}"))
}

async fn settings_of_ones_own(ground: Ground) -> Seen {
    ground
        .prepare(
            "create table secrets (owner text, what text); insert into secrets values ('a', 'of a'), ('b', 'of b');
        alter table secrets enable row level security; alter table secrets force row level security;
        create policy own on secrets using (owner = current_setting('my.tenant', true))",
        )
        .await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for tenant in ["a", "b", "c"] {
        let mut transaction = pool.begin().await?;
        sqlx::query("select set_config('my.tenant', $1, true)").bind(tenant).execute(&mut *transaction).await?;
        let rows = sqlx::query("select what from secrets").fetch_all(&mut *transaction).await?;
        seen += &format!("{tenant}: {:?}; ", rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>());
        transaction.commit().await?;
    }
    Ok(seen)
}
