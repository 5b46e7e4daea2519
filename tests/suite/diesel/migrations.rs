//! diesel's migrations: its own harness on our connection, and ours on every transport.

use std::{fs, thread, time::Duration};

use diesel::migration::Migration;
use diesel_migrations::{EmbeddedMigrations, FileBasedMigrations, MigrationHarness, embed_migrations};
use pgferry_diesel::{Transport, migrations::FerryHarness};
use pgferry_test_support::Stage;

use super::{Place, Road, Tcp};

const EMBEDDED: EmbeddedMigrations = embed_migrations!("tests/diesel_migrations");

const ALL: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];

fn harness(stage: &Stage, transport: Transport) -> FerryHarness {
    FerryHarness::connect(stage.config().transport(transport)).unwrap()
}

/// A source of migrations, each a folder with its two scripts and, where it is to run outside a transaction, a note of that.
fn source(migrations: &[(&str, &str, &str, bool)]) -> (tempfile::TempDir, FileBasedMigrations) {
    let directory = tempfile::tempdir().unwrap();
    for (name, up, down, transactional) in migrations {
        let folder = directory.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("up.sql"), up).unwrap();
        fs::write(folder.join("down.sql"), down).unwrap();
        if !transactional {
            fs::write(folder.join("metadata.toml"), "run_in_transaction = false").unwrap();
        }
    }
    let source = FileBasedMigrations::from_path(&directory).unwrap();
    (directory, source)
}

#[test]
fn diesels_own_harness_runs_on_a_session() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let place = Place::new(transport);
        let mut connection = place.connect();
        assert_eq!(connection.run_pending_migrations(EMBEDDED).unwrap().len(), 2);
        assert!(!connection.has_pending_migration(EMBEDDED).unwrap());
        connection.revert_last_migration(EMBEDDED).unwrap();
        assert_eq!(connection.run_next_migration(EMBEDDED).unwrap().to_string(), "20240302000000");
        assert_eq!(connection.revert_all_migrations(EMBEDDED).unwrap().len(), 2);
    }
}

#[test]
fn ours_applies_lists_reverts_and_redoes_on_every_transport() {
    for transport in ALL {
        let stage = Stage::start();
        let mut harness = harness(&stage, transport);
        let pending: Vec<_> =
            harness.pending_migrations(EMBEDDED).unwrap().iter().map(|m| m.name().to_string()).collect();
        assert_eq!(pending, ["2024-03-01-000000_crews", "2024-03-02-000000_names"], "{transport}");
        assert_eq!(harness.run_next_migration(EMBEDDED).unwrap().to_string(), "20240301000000");
        assert_eq!(harness.run_pending_migrations(EMBEDDED).unwrap().len(), 1);
        assert!(harness.run_pending_migrations(EMBEDDED).unwrap().is_empty());
        assert_eq!(stage.psql("select name from crews"), "first; not last");
        harness.revert_last_migration(EMBEDDED).unwrap();
        harness.run_next_migration(EMBEDDED).unwrap();
        assert_eq!(
            stage.psql("select string_agg(version, ' ' order by version) from __diesel_schema_migrations"),
            "20240301000000 20240302000000"
        );
        assert_eq!(harness.revert_all_migrations(EMBEDDED).unwrap().len(), 2);
        assert_eq!(stage.psql("select count(*) from __diesel_schema_migrations"), "0");
    }
}

#[test]
fn either_harness_goes_on_where_the_other_ended() {
    let place = Place::new(Transport::WebSocket);
    place.connect().run_next_migration(EMBEDDED).unwrap();
    let mut ours = FerryHarness::connect(place.config().transport(Transport::Http)).unwrap();
    assert_eq!(ours.run_pending_migrations(EMBEDDED).unwrap().len(), 1);
    assert!(!place.connect().has_pending_migration(EMBEDDED).unwrap());
    place.connect().revert_last_migration(EMBEDDED).unwrap();
    assert_eq!(ours.pending_migrations(EMBEDDED).unwrap().len(), 1);
}

#[test]
fn a_failure_leaves_nothing_of_its_own() {
    let (_directory, source) = source(&[
        ("2024-01-01-000000_good", "create table good (a integer)", "drop table good", true),
        (
            "2024-01-02-000000_bad",
            "create table half (a integer); select 1 / 0; create table never (a integer)",
            "",
            true,
        ),
        ("2024-01-03-000000_later", "create table later (a integer)", "", true),
    ]);
    for transport in ALL {
        let stage = Stage::start();
        let error = harness(&stage, transport).run_pending_migrations(source.clone()).unwrap_err().to_string();
        assert!(error.contains("20240102000000"), "{transport}: {error}");
        assert_eq!(stage.psql("select version from __diesel_schema_migrations"), "20240101000000");
        assert_eq!(stage.psql("select to_regclass('good'), to_regclass('half'), to_regclass('later')"), "good||");
    }
}

#[test]
fn what_forbids_a_transaction_runs_outside_one() {
    let (_directory, source) = source(&[
        ("2024-01-01-000000_table", "create table t (a integer)", "drop table t", true),
        ("2024-01-02-000000_index", "create index concurrently i on t (a)", "drop index concurrently i", false),
    ]);
    for transport in ALL {
        let stage = Stage::start();
        let mut harness = harness(&stage, transport);
        assert_eq!(harness.run_pending_migrations(source.clone()).unwrap().len(), 2, "{transport}");
        assert_eq!(stage.psql("select indisvalid from pg_index where indexrelid = 'i'::regclass"), "t");
        harness.revert_last_migration(source.clone()).unwrap();
        assert_eq!(stage.psql("select to_regclass('i') is null"), "t");
    }
}

#[test]
fn two_that_start_together_apply_each_once() {
    const ROUNDS: u64 = 50;
    let (_directory, source) = source(&[
        ("2024-01-01-000000_log", "create table log (step integer); insert into log values (1)", "", true),
        (
            "2024-01-02-000000_more",
            "insert into log values (2); select pg_sleep(0.001); insert into log values (2)",
            "",
            true,
        ),
        ("2024-01-03-000000_last", "insert into log values (3)", "", true),
    ]);
    let race = |transport: Transport| {
        let stage = Stage::start();
        for round in 0..ROUNDS {
            let applied = thread::scope(|scope| {
                // The second one a little later each time, so that they meet at many places.
                let runners = [0, round % 10].map(|late| {
                    let (stage, source) = (&stage, source.clone());
                    scope.spawn(move || {
                        thread::sleep(Duration::from_millis(2 * late));
                        harness(stage, transport).run_pending_migrations(source).map(|applied| applied.len()).unwrap()
                    })
                });
                runners.map(|runner| runner.join().unwrap())
            });
            // One that has waited for the other's may find its own applied, and says that it is.
            assert!(applied.iter().sum::<usize>() >= 3, "{transport} {round}: {applied:?}");
            let left = "select string_agg(step::text, '' order by step), (select count(*) from __diesel_schema_migrations) from log";
            assert_eq!(stage.psql(left), "1223|3", "{transport} {round}");
            stage.psql("drop table log, __diesel_schema_migrations");
        }
    };
    thread::scope(|scope| {
        let races = ALL.map(|transport| scope.spawn(move || race(transport)));
        races.into_iter().for_each(|race| race.join().unwrap());
    });
}

#[test]
fn its_table_is_the_one_that_diesel_makes() {
    let layout = |stage: &Stage| {
        [
            "select column_name, data_type, character_maximum_length, is_nullable, column_default, datetime_precision
             from information_schema.columns where table_name = '__diesel_schema_migrations' order by ordinal_position",
            "select conname, pg_get_constraintdef(oid) from pg_constraint
             where conrelid = '__diesel_schema_migrations'::regclass order by conname",
            "select indexname, indexdef from pg_indexes where tablename = '__diesel_schema_migrations'",
            "select version, run_on is not null from __diesel_schema_migrations order by version",
        ]
        .map(|question| stage.psql(question))
    };
    let tcp = Tcp::new();
    tcp.connect().run_pending_migrations(EMBEDDED).unwrap();
    let expected = layout(&tcp.stage);
    for transport in ALL {
        let stage = Stage::start();
        harness(&stage, transport).run_pending_migrations(EMBEDDED).unwrap();
        assert_eq!(layout(&stage), expected, "{transport}");
    }
}

#[test]
fn over_http_diesels_own_harness_is_refused_with_a_remedy() {
    let place = Place::new(Transport::Http);
    let error = place.connect().run_pending_migrations(EMBEDDED).map(drop).unwrap_err().to_string();
    assert!(error.contains("transport=websocket"), "{error}");
}
