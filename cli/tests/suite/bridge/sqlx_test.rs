//! `#[sqlx::test]` through a bridge.

use std::env;

use pgferry_test_support::Stage;
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::{Bridge, FAITHFUL, clean, succeeds};

/// There when this program is started again, with `DATABASE_URL` set before anything reads it.
const CHILD: &str = "PGFERRY_TEST_SQLX_TEST";

#[test]
fn each_test_has_a_database_of_its_own() {
    if env::var_os(CHILD).is_some() {
        return users_tests();
    }
    let stage = Stage::start();
    stage.psql("alter role app createdb");
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        let mut tests = clean(env::current_exe().expect("this program"));
        tests.args(["--exact", "bridge::sqlx_test::each_test_has_a_database_of_its_own", "--nocapture"]);
        succeeds(&tests.env(CHILD, "1").env("DATABASE_URL", bridge.url()).output().unwrap());
        let left = stage.psql("select count(*) from _sqlx_test.databases");
        assert_eq!(left, "0", "{transport}: what passed is cleaned up");
    }
}

#[allow(unnameable_test_items, reason = "they are called by name, once there is a DATABASE_URL")]
fn users_tests() {
    #[sqlx::test(
        migrations = "tests/suite/bridge/sqlx_test/migrations",
        fixtures(path = "sqlx_test/fixtures", scripts("crews"))
    )]
    async fn a_pool(pool: PgPool) -> sqlx::Result<()> {
        let database: String = sqlx::query_scalar("select current_database()").fetch_one(&pool).await?;
        assert!(database.starts_with("_sqlx_test_"), "{database}");
        let names: Vec<String> =
            sqlx::query_scalar("select name from crews where mood = 'ok'").fetch_all(&pool).await?;
        assert_eq!(names, ["Ferry"]);
        let mut transaction = pool.begin().await?;
        sqlx::query("delete from crews").execute(&mut *transaction).await?;
        transaction.rollback().await?;
        let count: i64 = sqlx::query_scalar("select count(*) from crews").fetch_one(&pool).await?;
        assert_eq!(count, 2);
        Ok(())
    }

    #[sqlx::test]
    async fn no_migrations(options: PgPoolOptions, connect: sqlx::postgres::PgConnectOptions) -> sqlx::Result<()> {
        let pool = options.connect_with(connect).await?;
        let tables: i64 =
            sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'").fetch_one(&pool).await?;
        assert_eq!(tables, 0);
        pool.close().await;
        Ok(())
    }

    a_pool().expect("the first test passes");
    no_migrations().expect("the second test passes");
}
