//! sqlx's own command, unmodified, through a bridge.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    process::{self, Command},
};

use pgferry_test_support::Stage;
use sqlx_cli::Opt;

use super::{Bridge, FAITHFUL, clean, succeeds};

/// Its arguments, one a line, where this program is to be that command.
const ARGUMENTS: &str = "PGFERRY_TEST_SQLX_ARGUMENTS";

/// The command as a process of its own: this program, started again with this one test.
pub(super) fn sqlx(url: &str, args: &[&str]) -> Command {
    let mut command = clean(env::current_exe().expect("this program"));
    command
        .args(["--exact", "bridge::sqlx_command::it_is_the_command_itself", "--nocapture"])
        .env(ARGUMENTS, args.join("\n"))
        .env("DATABASE_URL", url);
    command
}

#[test]
fn it_is_the_command_itself() {
    use clap::Parser;

    let run = |args: &str| {
        sqlx::any::install_default_drivers();
        let opt = Opt::try_parse_from(["sqlx"].into_iter().chain(args.lines()))?;
        tokio::runtime::Runtime::new()?.block_on(sqlx_cli::run(opt))
    };
    match env::var(ARGUMENTS) {
        Ok(args) => {
            let error = run(&args).err();
            if let Some(error) = &error {
                writeln!(io::stderr(), "error: {error:#}").expect("standard error is piped");
            }
            process::exit(error.map_or(0, |_| 1));
        }
        Err(_) => {
            let error =
                run("database\ncreate\n--no-dotenv\n--database-url\nferry://nowhere").expect_err("no such scheme");
            assert!(error.to_string().contains("ferry"), "{error}");
        }
    }
}

/// A folder of migrations that can be reverted.
fn migrations(folder: &Path) {
    for (name, text) in [
        ("1_crews.up.sql", "create type mood as enum ('sad', 'ok'); create table crews (id serial, mood mood);"),
        ("1_crews.down.sql", "drop table crews; drop type mood;"),
        ("2_sailors.up.sql", "create table sailors (id int);\ninsert into sailors values (1);"),
        ("2_sailors.down.sql", "drop table sailors;"),
        ("3_index.up.sql", "-- no-transaction\ncreate index concurrently sailors_id on sailors (id);"),
        ("3_index.down.sql", "drop index sailors_id;"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn databases_are_created_migrated_and_dropped() {
    let stage = Stage::start();
    stage.psql("alter role app createdb");
    let folder = tempfile::tempdir().unwrap();
    migrations(folder.path());
    let source = ["--source", folder.path().to_str().unwrap()];
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        let database = format!("{}_{transport}", stage.database());
        let url = bridge.url_of(&database);
        let run = |args: &[&str]| succeeds(&sqlx(&url, args).output().unwrap());
        let exists = || stage.psql(&format!("select count(*) from pg_database where datname = '{database}'"));
        let tables = || {
            let tables = "select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'";
            stage.postgres().psql_in(&database, tables).unwrap()
        };

        run(&["database", "create"]);
        assert_eq!(exists(), "1", "{transport}");
        let info = run(&[&["migrate", "info"], &source[..]].concat());
        assert_eq!(info.matches("pending").count(), 3, "{info}");
        run(&[&["migrate", "run", "--target-version", "1"], &source[..]].concat());
        assert_eq!(tables(), "_sqlx_migrations crews", "{transport}");
        run(&[&["migrate", "run"], &source[..]].concat());
        assert_eq!(tables(), "_sqlx_migrations crews sailors", "{transport}");
        let info = run(&[&["migrate", "info"], &source[..]].concat());
        assert_eq!(info.matches("installed").count(), 3, "{info}");
        run(&[&["migrate", "revert", "--target-version", "1"], &source[..]].concat());
        assert_eq!(tables(), "_sqlx_migrations crews", "{transport}");
        run(&[&["database", "reset", "-y"], &source[..]].concat());
        assert_eq!(tables(), "_sqlx_migrations crews sailors", "{transport}");
        run(&["database", "drop", "-y"]);
        assert_eq!(exists(), "0", "{transport}");
        run(&[&["database", "setup"], &source[..]].concat());
        assert_eq!(tables(), "_sqlx_migrations crews sailors", "{transport}");
        run(&["database", "drop", "-y"]);
    }
}

#[test]
fn over_http_a_migration_is_told_its_remedy() {
    let stage = Stage::start();
    let folder = tempfile::tempdir().unwrap();
    migrations(folder.path());
    let bridge = Bridge::start(&stage, "http");
    let output = sqlx(bridge.url(), &["migrate", "run", "--source", folder.path().to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("transport=websocket"), "{said}");
}
