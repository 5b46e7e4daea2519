//! `pgferry migrate run` as several processes at once, and killed in the middle.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use pgferry_test_support::Stage;

use crate::PGFERRY;

const TRANSPORTS: [&str; 3] = ["http", "websocket", "auto"];

/// How many are killed, over each transport.
const KILLED: u32 = 30;

/// How many of those are beside each other, each in a database of its own.
const BESIDE: u32 = 2;

/// How many transactional migrations there are.
const COUNT: u32 = 6;

/// Against hanging.
const AT_MOST: Duration = Duration::from_secs(60);

/// What is applied and what is recorded, by their versions, and the counter that each migration raises.
const STATE: &str = "select coalesce((select string_agg(version::text, ' ' order by version) from applied), ''), \
                     coalesce((select string_agg(version::text, ' ' order by version) from _sqlx_migrations where version between 2 and 7), ''), \
                     coalesce((select value from counter), 0)";

/// Transactional migrations 1 to 7, of which 2 to 7 each leave a trace, and one that runs outside a transaction.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "1_tables.sql",
        "create table applied (version int);\ncreate table counter (value int);\ninsert into counter values (0);",
    );
    for version in 2..2 + COUNT {
        let text = format!(
            "insert into applied values ({version});\nselect pg_sleep(0.005);\nupdate counter set value = value + 1;\n\
             create table made_{version} (id int);\nselect pg_sleep(0.005);"
        );
        write(&format!("{version}_number.sql"), &text);
    }
    write("8_index.sql", "-- no-transaction\ncreate index concurrently on applied (version);\nselect pg_sleep(0.02);");
    folder
}

fn migrate(stage: &Stage, transport: &str, folder: &Path) -> Command {
    let mut command = Command::new(PGFERRY);
    command.args(["migrate", "run", "--transport", transport, "--source"]).arg(folder).env("DATABASE_URL", stage.url());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(child: Child) -> Output {
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn of_two_processes_each_applies_what_the_other_has_not() {
    let folder = folder();
    for transport in TRANSPORTS {
        for round in 0..5 {
            let stage = Stage::start();
            let both = [(); 2].map(|()| migrate(&stage, transport, folder.path()).spawn().unwrap());
            let both = both.map(output);
            let count = |output: &Output| {
                assert!(output.status.success(), "{transport}, round {round}: {}", text(&output.stderr));
                let out = text(&output.stdout);
                out.trim().strip_suffix(" applied").and_then(|count| count.parse::<u32>().ok()).expect("a count")
            };
            assert_eq!(both.iter().map(count).sum::<u32>(), COUNT + 2, "{transport}, round {round}");
            assert_eq!(stage.psql(STATE), "2 3 4 5 6 7|2 3 4 5 6 7|6", "{transport}, round {round}");
        }
    }
}

#[test]
fn one_that_is_killed_leaves_each_migration_applied_and_recorded_or_neither() {
    let folder = folder();
    let seed = RandomState::new().hash_one(0_u8);
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let started = Instant::now();
        let whole = output(migrate(&stage, transport, folder.path()).spawn().unwrap());
        assert!(whole.status.success(), "{}", text(&whole.stderr));
        let whole = started.elapsed();
        thread::scope(|scope| {
            for lane in 0..BESIDE {
                let folder = folder.path();
                scope.spawn(move || {
                    for round in (lane..KILLED).step_by(BESIDE as usize) {
                        // Each part of its life is hit, wherever in it.
                        let fraction = (f64::from(round) + fraction(seed, round)) / f64::from(KILLED);
                        let what = format!("{transport}, killed after {fraction:.3} of {whole:?}, seed {seed}");
                        killed(transport, folder, whole.mul_f64(fraction), &what);
                    }
                });
            }
        });
    }
}

/// Kills one after a while, looks at what it leaves, and lets another one finish.
fn killed(transport: &str, folder: &Path, after: Duration, what: &str) {
    let stage = Stage::start();
    let mut child = migrate(&stage, transport, folder).spawn().unwrap();
    thread::sleep(after);
    // It may have ended by itself.
    let _ = child.kill();
    output(child);
    quiet(&stage, what);

    if stage.psql("select to_regclass('applied') is not null") == "t" {
        let state = stage.psql(STATE);
        let [applied, recorded, counter] = state.split('|').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(applied, recorded, "{what}");
        assert_eq!(applied.split_whitespace().count().to_string(), counter, "{what}");
    } else if stage.psql("select to_regclass('_sqlx_migrations') is not null") == "t" {
        assert_eq!(stage.psql("select count(*) from _sqlx_migrations"), "0", "{what}");
    }

    let mut next = output(migrate(&stage, transport, folder).spawn().unwrap());
    if !next.status.success() {
        // Only what runs outside a transaction can be left halfway, and that is said.
        assert!(
            text(&next.stderr).contains("migration 8 runs outside a transaction"),
            "{what}: {}",
            text(&next.stderr)
        );
        assert_eq!(stage.psql("select version from _sqlx_migrations where not success"), "8", "{what}");
        stage.psql("delete from _sqlx_migrations where version = 8; drop index if exists applied_version_idx");
        next = output(migrate(&stage, transport, folder).spawn().unwrap());
    }
    assert!(next.status.success(), "{what}: {}", text(&next.stderr));
    assert_eq!(stage.psql(STATE), "2 3 4 5 6 7|2 3 4 5 6 7|6", "{what}");
    let indexes = "select count(*) from pg_index where indisvalid and indrelid = 'applied'::regclass";
    assert_eq!(stage.psql(indexes), "1", "{what}");
}

/// Waits until the server has heard of the death.
fn quiet(stage: &Stage, what: &str) {
    let others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() \
                  and state <> 'idle'";
    let started = Instant::now();
    while stage.psql(others) != "0" {
        assert!(started.elapsed() < AT_MOST, "{what}: the server goes on");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A number from 0 to 1, the same for the same seed (SplitMix64).
fn fraction(seed: u64, round: u32) -> f64 {
    let mut mixed = seed.wrapping_add(u64::from(round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from((mixed ^ (mixed >> 31)) as u32) / f64::from(u32::MAX)
}
