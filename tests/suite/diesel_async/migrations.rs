//! diesel_migrations through diesel-async's harness, unchanged.

use diesel_async::AsyncMigrationHarness;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use pgferry_diesel::Transport;
use pgferry_test_support::Stage;

fn migrations() -> FileBasedMigrations {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/diesel_migrations");
    FileBasedMigrations::from_path(directory).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_harness_runs_and_reverts() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let mut harness = AsyncMigrationHarness::new(super::ferry(&stage, transport).await);
        let pending = harness.pending_migrations(migrations()).unwrap().len();
        assert!(pending > 0);
        assert_eq!(harness.run_pending_migrations(migrations()).unwrap().len(), pending, "{transport}");
        assert!(!harness.has_pending_migration(migrations()).unwrap());
        harness.revert_last_migration(migrations()).unwrap();
        assert_eq!(harness.pending_migrations(migrations()).unwrap().len(), 1);
        let recorded = stage.psql("select count(*) from __diesel_schema_migrations");
        assert_eq!(recorded, (pending - 1).to_string());
    }
}
