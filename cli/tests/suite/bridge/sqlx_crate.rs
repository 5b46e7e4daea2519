//! `query!` and `cargo sqlx prepare` through a bridge, in a crate that a user would write.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use pgferry_test_support::Stage;

use super::{Bridge, FAITHFUL, clean, sqlx_command::sqlx, succeeds};

const MANIFEST: &str = r#"
[package]
name = "pgferry-test-sqlx-crate"
edition = "2024"

[dependencies]
sqlx = { version = "~0.9", default-features = false, features = ["derive", "macros", "postgres", "runtime-tokio"] }

[workspace]
"#;

/// A copy of the crate in a folder that stays, so that what it depends on is compiled once.
fn crate_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sqlx-crate");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(folder.join("src/lib.rs"), include_str!("sqlx_crate/src/lib.rs")).unwrap();
    // The versions that the project itself is tested with, which are here already.
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    folder
}

#[test]
fn queries_are_checked_and_prepared() {
    let stage = Stage::start();
    let schema = include_str!("sqlx_test/migrations/1_crews.sql");
    super::printed(&stage.postgres_url(), schema);
    let folder = crate_folder();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let prepare = |url: &str, args: &[&str]| {
        let mut command = sqlx(url, &[&["prepare"], args, &["--", "--offline", "--quiet"]].concat());
        succeeds(
            &command
                .current_dir(&folder)
                .env("CARGO", &cargo)
                .env("CARGO_TARGET_DIR", folder.join("target"))
                .output()
                .unwrap(),
        )
    };
    let prepared = || {
        let mut files: Vec<_> =
            fs::read_dir(folder.join(".sqlx")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| (fs::read_to_string(&file).unwrap(), file)).collect::<Vec<_>>()
    };
    prepare(&stage.postgres_url(), &[]);
    let over_tcp = prepared();
    assert_eq!(over_tcp.len(), 3);
    for transport in FAITHFUL {
        fs::remove_dir_all(folder.join(".sqlx")).unwrap();
        let bridge = Bridge::start(&stage, transport);
        prepare(bridge.url(), &[]);
        assert_eq!(prepared(), over_tcp, "{transport}");
        prepare(bridge.url(), &["--check"]);
    }

    // A mistake is found while the crate is compiled.
    let bridge = Bridge::start(&stage, FAITHFUL[0]);
    fs::write(folder.join("src/lib.rs"), "pub async fn wrong(pool: &sqlx::PgPool) { sqlx::query!(\"select nothing from crews\").fetch_one(pool).await.ok(); }").unwrap();
    let mut check = clean(&cargo);
    check.args(["check", "--offline", "--quiet"]).current_dir(&folder);
    check.env("CARGO_TARGET_DIR", folder.join("target")).env("DATABASE_URL", bridge.url());
    let said = String::from_utf8(check.output().unwrap().stderr).unwrap();
    assert!(said.contains("column \"nothing\" does not exist"), "{said}");
}
