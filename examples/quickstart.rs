//! Writes and reads a real PostgreSQL over each of the four roads: sqlx and diesel, over HTTP and over WebSocket.
//!
//! ```sh
//! cargo run --example quickstart
//! ```
//!
//! starts a throw-away PostgreSQL and a gateway before it. With `DATABASE_URL` set, it uses that database instead, where it
//! creates a table `pgferry_quickstart` and drops it again.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that shows something on the terminal")]

use std::{
    env, fmt,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use pgferry_sqlx::{Config, Transport};
use pgferry_test_support::{Postgres, TestGateway};

const TRANSPORTS: [(Transport, &str); 2] = [(Transport::Http, "HTTP"), (Transport::WebSocket, "WebSocket")];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether all four roads worked.
async fn run() -> anyhow::Result<bool> {
    // Both run until they are dropped.
    let (config, _servers) = match env::var_os("DATABASE_URL") {
        Some(_) => (Config::from_env()?, None),
        None => {
            eprintln!("DATABASE_URL is not set: a throw-away PostgreSQL is started, and a gateway in front of it");
            let postgres = Postgres::start().context(
                "a throw-away PostgreSQL cannot be started; `pgferry gateway --ephemeral` brings one along: run it, and set the DATABASE_URL \
                 that it prints, in single quotes",
            )?;
            let gateway = TestGateway::start(&postgres)?;
            (gateway.ferry(&postgres.url()).parse()?, Some((gateway, postgres)))
        }
    };
    with_sqlx::create_table(&config).await.context("the table cannot be created")?;

    let mut all_worked = true;
    for (transport, name) in TRANSPORTS {
        let started = Instant::now();
        let read = with_sqlx::write_and_read(config.clone().transport(transport)).await;
        all_worked &= report(&format!("sqlx over {name}"), read, started.elapsed());
    }
    for (transport, name) in TRANSPORTS {
        let config = config.clone().transport(transport);
        let started = Instant::now();
        // diesel's connections block, which a task of an async program must not.
        let read = tokio::task::spawn_blocking(move || with_diesel::write_and_read(config)).await?;
        all_worked &= report(&format!("diesel over {name}"), read, started.elapsed());
    }

    with_sqlx::drop_table(&config).await.context("the table cannot be dropped")?;
    Ok(all_worked)
}

fn report<T: fmt::Display>(road: &str, read: anyhow::Result<Vec<T>>, took: Duration) -> bool {
    match read {
        Ok(rows) => {
            let rows: Vec<_> = rows.iter().map(T::to_string).collect();
            println!("{road:<22} ok      read {} in {:.1} ms", rows.join(", "), took.as_secs_f64() * 1000.0);
            true
        }
        Err(error) => {
            println!("{road:<22} failed  {error:#}");
            false
        }
    }
}

mod with_sqlx {
    use sqlx::PgPool;

    use super::*;

    #[derive(sqlx::FromRow)]
    pub(super) struct Load {
        goods: String,
        tons: i32,
        note: Option<String>,
        loaded_at: DateTime<Utc>,
    }

    pub(super) async fn create_table(config: &Config) -> sqlx::Result<()> {
        let pool = pgferry_sqlx::pool(config).await?;
        sqlx::raw_sql(
            "drop table if exists pgferry_quickstart;
             create table pgferry_quickstart (
                 id bigint generated always as identity primary key,
                 road text not null,
                 goods text not null,
                 tons integer not null,
                 note text,
                 loaded_at timestamptz not null default now()
             )",
        )
        .execute(&pool)
        .await?;
        pool.close().await;
        Ok(())
    }

    pub(super) async fn drop_table(config: &Config) -> sqlx::Result<()> {
        let pool = pgferry_sqlx::pool(config).await?;
        sqlx::query("drop table pgferry_quickstart").execute(&pool).await?;
        pool.close().await;
        Ok(())
    }

    pub(super) async fn write_and_read(config: Config) -> anyhow::Result<Vec<Load>> {
        let transport = config.get_transport();
        let road = format!("sqlx over {transport}");
        let pool = pgferry_sqlx::pool(config).await?;

        for (goods, tons, note) in [("apples", 3, None), ("pears", 5, Some("ripe"))] {
            insert(&pool, &road, goods, tons, note).await?;
        }
        // Over HTTP, `begin` is refused with an error that says so.
        if transport == Transport::WebSocket {
            let mut transaction = pool.begin().await?;
            let deleted = sqlx::query("delete from pgferry_quickstart where road = $1")
                .bind(&road)
                .execute(&mut *transaction)
                .await?;
            ensure!(deleted.rows_affected() == 2, "the transaction sees {} rows and not 2", deleted.rows_affected());
            transaction.rollback().await?;
        }

        let loads: Vec<Load> =
            sqlx::query_as("select goods, tons, note, loaded_at from pgferry_quickstart where road = $1 order by id")
                .bind(&road)
                .fetch_all(&pool)
                .await?;
        pool.close().await;
        ensure!(loads.len() == 2, "{} rows were read and not 2", loads.len());
        Ok(loads)
    }

    async fn insert(pool: &PgPool, road: &str, goods: &str, tons: i32, note: Option<&str>) -> sqlx::Result<()> {
        sqlx::query("insert into pgferry_quickstart (road, goods, tons, note) values ($1, $2, $3, $4)")
            .bind(road)
            .bind(goods)
            .bind(tons)
            .bind(note)
            .execute(pool)
            .await?;
        Ok(())
    }

    impl fmt::Display for Load {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Self { goods, tons, note, loaded_at } = self;
            describe(f, goods, *tons, note.as_deref(), *loaded_at)
        }
    }
}

mod with_diesel {
    use diesel::prelude::*;
    use pgferry_diesel::FerryConnection;

    use super::*;

    diesel::table! {
        pgferry_quickstart (id) {
            id -> BigInt,
            road -> Text,
            goods -> Text,
            tons -> Integer,
            note -> Nullable<Text>,
            loaded_at -> Timestamptz,
        }
    }

    #[derive(Queryable, Selectable)]
    #[diesel(table_name = pgferry_quickstart, check_for_backend(diesel::pg::Pg))]
    pub(super) struct Load {
        goods: String,
        tons: i32,
        note: Option<String>,
        loaded_at: DateTime<Utc>,
    }

    #[derive(Insertable)]
    #[diesel(table_name = pgferry_quickstart)]
    struct NewLoad<'a> {
        road: &'a str,
        goods: &'a str,
        tons: i32,
        note: Option<&'a str>,
    }

    pub(super) fn write_and_read(config: Config) -> anyhow::Result<Vec<Load>> {
        use self::pgferry_quickstart::dsl;

        let transport = config.get_transport();
        let road = format!("diesel over {transport}");
        let connection = &mut FerryConnection::connect(config)?;

        let load = |goods, tons, note| NewLoad { road: &road, goods, tons, note };
        let loads = vec![load("apples", 3, None), load("pears", 5, Some("ripe"))];
        diesel::insert_into(dsl::pgferry_quickstart).values(&loads).execute(connection)?;
        // Over HTTP, a transaction is refused with an error that says so.
        if transport == Transport::WebSocket {
            let outcome = connection.transaction(|connection| {
                let deleted =
                    diesel::delete(dsl::pgferry_quickstart.filter(dsl::road.eq(&road))).execute(connection)?;
                assert_eq!(deleted, 2, "what the transaction deleted");
                QueryResult::<()>::Err(diesel::result::Error::RollbackTransaction)
            });
            ensure!(
                outcome == Err(diesel::result::Error::RollbackTransaction),
                "the transaction ended with {outcome:?}"
            );
        }

        let loads = dsl::pgferry_quickstart
            .filter(dsl::road.eq(&road))
            .order(dsl::id)
            .select(Load::as_select())
            .load(connection)?;
        ensure!(loads.len() == 2, "{} rows were read and not 2", loads.len());
        Ok(loads)
    }

    impl fmt::Display for Load {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Self { goods, tons, note, loaded_at } = self;
            describe(f, goods, *tons, note.as_deref(), *loaded_at)
        }
    }
}

fn describe(
    f: &mut fmt::Formatter<'_>,
    goods: &str,
    tons: i32,
    note: Option<&str>,
    loaded_at: DateTime<Utc>,
) -> fmt::Result {
    write!(
        f,
        "{tons} t of {}{goods} ({})",
        note.map(|note| format!("{note} ")).unwrap_or_default(),
        loaded_at.format("%H:%M")
    )
}
