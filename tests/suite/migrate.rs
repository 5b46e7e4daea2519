//! Migrations over both transports, in turn with sqlx's own migrator over TCP.

use std::{path::Path, time::Duration};

use pgferry::{
    Config, Transport,
    migrate::{Folder, Ledger, MigrateError, Migration, Runner, State, Version},
};
use pgferry_test_support::Stage;
use sqlx::{PgPool, migrate::Migrator};

const TRANSPORTS: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];

/// Files for a folder in sqlx's layout.
const FILES: [(&str, &str); 4] = [
    ("1_users.up.sql", "create table users (id int primary key);\ninsert into users values (1), (2); -- two"),
    ("1_users.down.sql", "drop table users"),
    ("2_posts.up.sql", "-- no-transaction\ncreate table posts (id int);\ncreate index concurrently on posts (id);"),
    ("2_posts.down.sql", "drop table posts"),
];

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(root.path().join(name), text).unwrap();
    }
    root
}

async fn runner(stage: &Stage, transport: Transport) -> Runner {
    Runner::connect(&stage.config().transport(transport), Ledger::sqlx()).await.unwrap()
}

async fn native(stage: &Stage, path: &Path) -> (Migrator, PgPool) {
    (Migrator::new(path).await.unwrap(), PgPool::connect(&stage.postgres_url()).await.unwrap())
}

fn migration(version: i64, up: &str) -> Migration {
    Migration::new(version.into(), format!("number {version}"), up.to_owned())
}

#[tokio::test]
async fn what_is_applied_here_is_applied_for_sqlx() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let root = folder(&FILES);
        let read = Folder::read(root.path()).unwrap();
        let mut runner = runner(&stage, transport).await;
        let mut begun = Vec::new();
        let count =
            runner.run(read.migrations(), None, |migration| begun.push(migration.version.to_string())).await.unwrap();
        assert_eq!((count, begun), (2, vec!["1".to_owned(), "2".to_owned()]), "{transport:?}");
        assert_eq!(stage.psql("select count(*) from users"), "2");
        assert_eq!(stage.psql("select bool_and(success), bool_and(execution_time > 0) from _sqlx_migrations"), "t|t");

        // sqlx compares the checksums of what is applied, and finds nothing to do.
        let (migrator, pool) = native(&stage, root.path()).await;
        migrator.run(&pool).await.unwrap();
        assert_eq!(stage.psql("select count(*), max(version) from _sqlx_migrations"), "2|2");
        migrator.undo(&pool, 0).await.unwrap();
        assert_eq!(stage.psql("select count(*) from _sqlx_migrations"), "0");
        assert_eq!(runner.run(read.migrations(), Some(&1.into()), |_| ()).await.unwrap(), 1);
        assert_eq!(stage.psql("select to_regclass('users'), to_regclass('posts') is null"), "users|t");
    }
}

#[tokio::test]
async fn what_sqlx_applied_is_applied_here() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        // sqlx sends a script that runs outside a transaction as one simple query, which is one.
        let root = folder(&FILES[..2]);
        let (migrator, pool) = native(&stage, root.path()).await;
        migrator.run(&pool).await.unwrap();
        let read = Folder::read(root.path()).unwrap();
        let mut runner = runner(&stage, transport).await;
        assert_eq!(runner.run(read.migrations(), None, |_| ()).await.unwrap(), 0, "{transport:?}");
        let status = runner.status(read.migrations()).await.unwrap();
        assert_eq!(status.iter().map(|status| status.state).collect::<Vec<_>>(), [State::Applied]);
        assert_eq!(runner.revert(read.migrations(), None, |_| ()).await.unwrap(), 1);
        assert_eq!(stage.psql("select to_regclass('users') is null, count(*) from _sqlx_migrations"), "t|0");
    }
}

#[tokio::test]
async fn a_status_changes_nothing() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let status = runner(&stage, transport).await.status(&[migration(1, "select 1")]).await.unwrap();
        assert_eq!(status[0].state, State::Pending);
        assert_eq!(stage.psql("select to_regclass('_sqlx_migrations') is null"), "t");
    }
}

#[tokio::test]
async fn a_failure_leaves_what_was_before_it_and_nothing_else() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let mut runner = runner(&stage, transport).await;
        let migrations = [
            migration(1, "create table a ()"),
            migration(2, "create table b ();\n\nselect 1/0;"),
            migration(3, "select 1"),
        ];
        let error = runner.run(&migrations, None, |_| ()).await.unwrap_err();
        let MigrateError::Script { version, error, .. } = &error else { panic!("{transport:?}: {error:?}") };
        assert_eq!((version, error.sql_state().as_str()), (&Version::from(2), "22012"));
        assert_eq!(stage.psql("select to_regclass('a'), to_regclass('b') is null"), "a|t");
        assert_eq!(stage.psql("select version from _sqlx_migrations"), "1");
        // The runner goes on.
        assert_eq!(runner.run(&migrations[..1], None, |_| ()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn an_error_names_its_line() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let mut runner = runner(&stage, transport).await;
        let script = "select 'é';\nselect 1;\nselect nothing;";
        let error = runner.run(&[migration(1, script)], None, |_| ()).await.unwrap_err();
        assert_eq!(error.to_string(), "migration 1 failed in line 3", "{transport}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.starts_with("ERROR: column \"nothing\" does not exist (42703)"), "{source}");
        let error = runner.run(&[migration(1, "select 1;\n\nselec 1;")], None, |_| ()).await.unwrap_err();
        assert_eq!(error.to_string(), "migration 1 failed in line 3", "{transport}");
    }
}

#[tokio::test]
async fn over_http_an_error_that_may_be_of_several_statements_names_no_line() {
    let stage = Stage::start();
    let mut runner = runner(&stage, Transport::Http).await;
    let script =
        "do 'begin if to_regclass(''a'') is null then create table a (); end if; end';\ndrop table a;\ndrop table a;";
    let error = runner.run(&[migration(1, script)], None, |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), "migration 1 failed");
}

#[tokio::test]
async fn what_runs_outside_a_transaction_is_recorded_as_begun_first() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let mut runner = runner(&stage, transport).await;
        let mut half = migration(1, "create table a ();\nvacuum nowhere;");
        half.up.transactional = false;
        let error = runner.run(&[half.clone()], None, |_| ()).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Script { line: Some(2), .. }), "{transport:?}: {error:?}");
        assert_eq!(stage.psql("select to_regclass('a'), success from _sqlx_migrations"), "a|f");
        let error = runner.run(&[half.clone(), migration(2, "select 1")], None, |_| ()).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Dirty(version) if *version == 1.into()), "{error:?}");
        // sqlx sees it too.
        let root = folder(&[("1_a.sql", "select 1")]);
        let (migrator, pool) = native(&stage, root.path()).await;
        assert!(matches!(migrator.run(&pool).await, Err(sqlx::migrate::MigrateError::Dirty(1))));
    }
}

#[tokio::test]
async fn what_was_changed_or_is_missing_stops_it() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let mut runner = runner(&stage, transport).await;
        runner.run(&[migration(1, "select 1"), migration(2, "select 2")], None, |_| ()).await.unwrap();
        let error = runner.run(&[migration(1, "select 1"), migration(2, "select 3")], None, |_| ()).await.unwrap_err();
        assert!(matches!(error, MigrateError::Changed(version) if version == 2.into()));
        let error = runner.run(&[migration(2, "select 2")], None, |_| ()).await.unwrap_err();
        assert!(matches!(error, MigrateError::Missing(version) if version == 1.into()));
        let mut lenient = runner.allow_missing(true);
        assert_eq!(lenient.run(&[migration(2, "select 2")], None, |_| ()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_script_may_set_what_it_likes_but_not_end_its_transaction() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let mut runner = runner(&stage, transport).await;
        let dump = "select pg_catalog.set_config('search_path', '', false);\ncreate table public.a ()";
        assert_eq!(runner.run(&[migration(1, dump)], None, |_| ()).await.unwrap(), 1, "{transport:?}");
        let ending = [migration(1, dump), migration(2, "create table b ();\ncommit;\nselect 1/0")];
        let error = runner.run(&ending, None, |_| ()).await.unwrap_err();
        assert!(matches!(error, MigrateError::TransactionControl { line: 2, .. }), "{error:?}");
        assert_eq!(stage.psql("select to_regclass('b') is null, count(*) from _sqlx_migrations"), "t|1");
    }
}

#[tokio::test]
async fn two_runners_apply_each_migration_once() {
    // Without a primary key, a second application would go through.
    let migrations: Vec<Migration> = std::iter::once(migration(1, "create table applied (version int)"))
        .chain((2..8).map(|version| {
            migration(version, &format!("insert into applied values ({version}); select pg_sleep(0.01)"))
        }))
        .collect();
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let run = async || runner(&stage, transport).await.run(&migrations, None, |_| ()).await.unwrap();
        let (one, other) = tokio::join!(run(), run());
        assert_eq!(one + other, migrations.len(), "{transport:?}");
        assert_eq!(stage.psql("select count(*), count(distinct version) from applied"), "6|6");
    }
}

#[tokio::test]
async fn sqlx_and_a_runner_apply_each_migration_once() {
    let files: Vec<(String, String)> =
        std::iter::once(("1_a.sql".to_owned(), "create table applied (version int)".to_owned()))
            .chain((2..8).map(|version| {
                (format!("{version}_a.sql"), format!("insert into applied values ({version}); select pg_sleep(0.01)"))
            }))
            .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let root = folder(&files);
    let read = Folder::read(root.path()).unwrap();
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let (migrator, pool) = native(&stage, root.path()).await;
        let mut runner = runner(&stage, transport).await;
        let (theirs, ours) = tokio::join!(migrator.run(&pool), runner.run(read.migrations(), None, |_| ()));
        theirs.unwrap();
        ours.unwrap();
        assert_eq!(stage.psql("select count(*), count(distinct version) from applied"), "6|6", "{transport:?}");
    }
}

#[tokio::test]
async fn a_pooler_is_refused() {
    for url in [
        "postgresql://app:x@ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/app",
        "postgresql://app:x@XXXX.pg.psdb.cloud:6432/app",
    ] {
        let config: Config = url.parse().unwrap();
        let connecting = Runner::connect(&config, Ledger::sqlx());
        let error = tokio::time::timeout(Duration::from_secs(60), connecting).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("use the direct host"), "{error}");
    }
}

#[tokio::test]
async fn diesels_table_is_kept_as_diesel_keeps_it() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let config = stage.config().transport(transport);
        let mut runner = Runner::connect(&config, Ledger::diesel()).await.unwrap();
        let mut migrations = [
            Migration::new(Version::new("20240102030405"), "users", "create table users ()"),
            Migration::new(Version::new("00000000000000"), "first", "create table first ()"),
        ];
        migrations[1].up.transactional = false;
        assert_eq!(runner.run(&migrations, None, |_| ()).await.unwrap(), 2, "{transport:?}");
        let recorded =
            stage.psql("select string_agg(version, ',' order by run_on, version) from __diesel_schema_migrations");
        assert_eq!(recorded, "00000000000000,20240102030405");
        // One that diesel knows and this program does not is none of its business.
        assert_eq!(runner.run(&migrations[..1], None, |_| ()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn in_diesels_table_a_migration_that_has_only_begun_is_not_applied() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let config = stage.config().transport(transport);
        let mut runner = Runner::connect(&config, Ledger::diesel()).await.unwrap();
        let mut half = migration(1, "create table a ();\nvacuum nowhere;");
        half.up.transactional = false;
        half.down = Some(half.up.clone());
        let error = runner.run(&[half.clone(), migration(2, "select 1")], None, |_| ()).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Script { line: Some(2), .. }), "{transport:?}: {error:?}");
        assert_eq!(stage.psql("select version from __diesel_schema_migrations"), "1 begun");
        let status = runner.status(&[half.clone()]).await.unwrap();
        assert_eq!(status.iter().map(|status| status.state).collect::<Vec<_>>(), [State::Dirty]);
        let error = runner.run(&[half.clone(), migration(2, "select 1")], None, |_| ()).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Dirty(version) if *version == 1.into()), "{error:?}");

        // Marked as ended by hand; reverting it fails as well, and leaves it as begun.
        stage.psql("update __diesel_schema_migrations set version = '1'");
        runner.revert(&[half.clone()], None, |_| ()).await.unwrap_err();
        assert_eq!(stage.psql("select version from __diesel_schema_migrations"), "1 begun");
    }
}

#[tokio::test]
async fn over_websocket_a_runner_waits_for_what_runs_outside_a_transaction() {
    for ledger in [Ledger::sqlx(), Ledger::diesel()] {
        let stage = Stage::start();
        let mut slow = migration(1, "select pg_sleep(0.5);\ncreate table a ();");
        slow.up.transactional = false;
        let migrations = [slow, migration(2, "alter table a add column b int")];
        let run = async || {
            let config = stage.config().transport(Transport::WebSocket);
            Runner::connect(&config, ledger.clone()).await?.run(&migrations, None, |_| ()).await
        };
        let (one, other) = tokio::join!(run(), run());
        assert_eq!(one.unwrap() + other.unwrap(), 2, "{ledger:?}");
    }
}

#[tokio::test]
async fn a_setting_lasts_as_long_as_a_script_outside_a_transaction() {
    let stage = Stage::start();
    stage.psql("create schema s authorization app");
    let mut setting = migration(1, "set search_path = s;\ncreate table a ();");
    setting.up.transactional = false;
    runner(&stage, Transport::WebSocket)
        .await
        .run(&[setting.clone(), migration(2, "create table b ()")], None, |_| ())
        .await
        .unwrap();
    assert_eq!(stage.psql("select to_regclass('s.a'), to_regclass('public.b')"), "s.a|b");

    // Over HTTP a session ends with its request, so that is refused.
    let stage = Stage::start();
    let error = runner(&stage, Transport::Http).await.run(&[setting], None, |_| ()).await.unwrap_err();
    let MigrateError::Script { error, line: Some(1), .. } = &error else { panic!("{error:?}") };
    assert!(error.is_refused(), "{error}");
}

#[tokio::test]
async fn what_passes_its_deadline_is_not_recorded_behind_its_error() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let config = stage.config().transport(transport).request_timeout(Some(Duration::from_secs(1)));
        let mut runner = Runner::connect(&config, Ledger::sqlx()).await.unwrap();
        let slow = [migration(1, "select pg_sleep(4); create table late (a int)")];
        let error = runner.run(&slow, None, |_| {}).await.unwrap_err().to_string();
        assert!(error.contains("migration 1"), "{transport}: {error}");
        let running = "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(4)%' \
                       and pid <> pg_backend_pid() and datname = current_database()";
        while stage.psql(running) != "0" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(
            stage.psql("select to_regclass('late') is null, count(*) from _sqlx_migrations"),
            "t|0",
            "{transport}"
        );
    }
}
