//! Two migration runners at once: each migration is applied exactly once, whoever runs it over whatever.

use std::{fs, path::Path};

use futures_util::future::join_all;
use pgferry::migrate::{Folder, Ledger, Runner};
use pgferry_sqlx::{PgPoolOptionsExt, Transport};
use pgferry_test_support::Stage;
use sqlx::{migrate::Migrator, postgres::PgPoolOptions};

/// How often each pair is run.
const ROUNDS: usize = 50;

/// How many rounds run beside each other, each in a database of its own.
const BESIDE: usize = 4;

const TRANSPORTS: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];

/// Each notes in `applied` that it was applied, where nothing but its being applied once keeps it from being noted twice.
const MIGRATIONS: [(i64, &str); 5] = [
    (1, "create table applied (version int); create table counter (value int); insert into counter values (0);"),
    (2, "insert into applied values (2); update counter set value = value + 1;"),
    (
        3,
        "create table crews (id int primary key, name text);\n-- a comment; with a semicolon\ninsert into crews values (1, ';');\n\
         do $$ begin update counter set value = value + 1; end $$;\ninsert into applied values (3);",
    ),
    (4, "insert into applied values (4); select pg_sleep(0.005); update counter set value = value + 1;"),
    (5, "update counter set value = value + 1; insert into applied select 5 from counter;"),
];

/// Runs outside a transaction.
const INDEX: (i64, &str) = (6, "-- no-transaction\ncreate index concurrently crews_by_name on crews (name);");

/// What one of the two is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// `pgferry_sqlx::migrate::run`.
    Ours(Transport),
    /// sqlx's own, on a pool of ours.
    Theirs(Transport),
    /// sqlx's own, over TCP.
    Native,
    /// The engine with diesel's layout and table.
    Diesel(Transport),
}

impl Kind {
    async fn run(self, stage: &Stage, folder: &Path) -> Result<(), String> {
        let over = |transport| stage.config().transport(transport);
        let migrator = async || Migrator::new(folder).await.unwrap();
        match self {
            Self::Ours(transport) => {
                pgferry_sqlx::migrate::run(&migrator().await, over(transport)).await.map_err(debug)
            }
            Self::Theirs(transport) => {
                let pool =
                    PgPoolOptions::new().max_connections(2).connect_over(over(transport)).await.map_err(debug)?;
                let done = migrator().await.run(&pool).await.map_err(debug);
                pool.close().await;
                done
            }
            Self::Native => {
                let pool =
                    PgPoolOptions::new().max_connections(2).connect(&stage.postgres_url()).await.map_err(debug)?;
                let done = migrator().await.run(&pool).await.map_err(debug);
                pool.close().await;
                done
            }
            Self::Diesel(transport) => {
                let folder = Folder::read(folder).unwrap();
                let mut runner = Runner::connect(&over(transport), Ledger::diesel()).await.map_err(debug)?;
                runner.run(folder.migrations(), None, |_| ()).await.map(drop).map_err(debug)
            }
        }
    }
}

fn debug(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn sqlx_folder(migrations: &[(i64, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (version, text) in migrations {
        fs::write(folder.path().join(format!("{version}_number.sql")), text).unwrap();
    }
    folder
}

fn diesel_folder(migrations: &[(i64, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (version, text) in migrations {
        let directory = folder.path().join(format!("2024-01-0{version}-000000_number"));
        fs::create_dir(&directory).unwrap();
        if text.starts_with("-- no-transaction") {
            fs::write(directory.join("metadata.toml"), "run_in_transaction = false").unwrap();
        }
        fs::write(directory.join("up.sql"), text).unwrap();
    }
    folder
}

/// Runs both at once, often, and looks at what they have done.
async fn at_once(pair: [Kind; 2], folder: &Path, expected: &str) {
    let table = if matches!(pair[0], Kind::Diesel(_)) { "__diesel_schema_migrations" } else { "_sqlx_migrations" };
    // A new schema is cheaper than a new database, and to the runners the same.
    let look = format!(
        "select (select string_agg(version::text, ' ' order by version) from applied), (select value from counter), \
         (select count(*) from {table}), (select count(*) from pg_index where indisvalid and indrelid = 'crews'::regclass); \
         drop schema public cascade; create schema public authorization app"
    );
    let lane = async |lane: usize| {
        let stage = Stage::start();
        for round in (lane..ROUNDS).step_by(BESIDE) {
            let [one, other] = pair;
            let (one, other) = tokio::join!(one.run(&stage, folder), other.run(&stage, folder));
            assert_eq!((one, other), (Ok(()), Ok(())), "{pair:?}, round {round}");
            assert_eq!(stage.psql(&look), expected, "{pair:?}, round {round}");
        }
    };
    join_all((0..BESIDE).map(lane)).await;
}

/// With the versions applied, the counter, the rows recorded and the table's indexes.
const DONE: &str = "2 3 4 5|4|5|1";
const DONE_WITH_INDEX: &str = "2 3 4 5|4|6|2";

#[tokio::test]
async fn ours_over_each_transport() {
    let folder = sqlx_folder(&MIGRATIONS);
    for transport in TRANSPORTS {
        at_once([Kind::Ours(transport); 2], folder.path(), DONE).await;
    }
}

#[tokio::test]
async fn sqlxs_own_over_each_transport_with_a_session() {
    let folder = sqlx_folder(&MIGRATIONS);
    for transport in [Transport::WebSocket, Transport::Auto] {
        at_once([Kind::Theirs(transport); 2], folder.path(), DONE).await;
    }
}

#[tokio::test]
async fn the_engine_with_diesels_layout_over_each_transport() {
    let folder = diesel_folder(&MIGRATIONS);
    for transport in TRANSPORTS {
        at_once([Kind::Diesel(transport); 2], folder.path(), DONE).await;
    }
}

#[tokio::test]
async fn sqlxs_own_and_ours() {
    let folder = sqlx_folder(&MIGRATIONS);
    for transport in TRANSPORTS {
        at_once([Kind::Native, Kind::Ours(transport)], folder.path(), DONE).await;
    }
    at_once([Kind::Theirs(Transport::WebSocket), Kind::Ours(Transport::Http)], folder.path(), DONE).await;
    at_once([Kind::Theirs(Transport::Auto), Kind::Ours(Transport::Http)], folder.path(), DONE).await;
}

#[tokio::test]
async fn ours_over_different_transports() {
    let folder = sqlx_folder(&MIGRATIONS);
    at_once([Kind::Ours(Transport::Http), Kind::Ours(Transport::WebSocket)], folder.path(), DONE).await;
}

#[tokio::test]
async fn an_index_made_concurrently_is_made_once() {
    let migrations: Vec<_> = MIGRATIONS.into_iter().chain([INDEX]).collect();
    let folder = sqlx_folder(&migrations);
    for transport in TRANSPORTS {
        at_once([Kind::Ours(transport); 2], folder.path(), DONE_WITH_INDEX).await;
    }
}
