//! sqlx's migrators: by sqlx's own runner where there are sessions, and by pgferry's everywhere.

use pgferry::migrate::State;
use sqlx::migrate::{MigrateError, Migrator};

use super::*;

static MIGRATOR: Migrator = sqlx::migrate!("tests/migrations");

#[tokio::test]
async fn sqlxs_own_runner_works_where_there_are_sessions() {
    for road in [Road::WebSocket, Road::Auto] {
        let stage = Stage::start();
        let pool = road.pool(&stage).await;
        MIGRATOR.run_to(1, &pool).await.unwrap();
        assert_eq!(stage.psql("select count(*) from _sqlx_migrations"), "1", "{road:?}");
        MIGRATOR.run(&pool).await.unwrap();
        assert_eq!(stage.psql("select to_regclass('crews_name')"), "crews_name", "{road:?}");
        MIGRATOR.undo(&pool, 0).await.unwrap();
        assert_eq!(
            stage.psql("select to_regclass('crews') is null, count(*) from _sqlx_migrations"),
            "t|0",
            "{road:?}"
        );
    }
}

#[tokio::test]
async fn a_migrator_runs_without_a_session() {
    for road in Road::FERRIED {
        let stage = Stage::start();
        let config = road.config(&stage);
        pgferry_sqlx::migrate::run_to(&MIGRATOR, 1, &config).await.unwrap();
        let status = pgferry_sqlx::migrate::status(&MIGRATOR, &config).await.unwrap();
        assert_eq!(
            status.iter().map(|status| status.state).collect::<Vec<_>>(),
            [State::Applied, State::Pending],
            "{road:?}"
        );
        pgferry_sqlx::migrate::run(&MIGRATOR, &config).await.unwrap();

        // For sqlx over TCP nothing is left to do.
        let pool = Road::Tcp.pool(&stage).await;
        MIGRATOR.run(&pool).await.unwrap();
        assert_eq!(stage.psql("select count(*), to_regclass('crews_name') from _sqlx_migrations"), "2|crews_name");
        pgferry_sqlx::migrate::undo(&MIGRATOR, 0, &config).await.unwrap();
        assert_eq!(stage.psql("select to_regclass('crews') is null, count(*) from _sqlx_migrations"), "t|0");
    }
}

#[tokio::test]
async fn errors_are_sqlxs() {
    for road in Road::FERRIED {
        let stage = Stage::start();
        let config = road.config(&stage);
        let missing = pgferry_sqlx::migrate::run_to(&MIGRATOR, 7, &config).await;
        assert!(matches!(missing, Err(MigrateError::VersionNotPresent(7))), "{road:?}: {missing:?}");

        stage.psql("create table crews (x int); alter table crews owner to app");
        let error = pgferry_sqlx::migrate::run(&MIGRATOR, &config).await.unwrap_err();
        let MigrateError::ExecuteMigration(error, 1) = &error else { panic!("{road:?}: {error:?}") };
        let error = error.as_database_error().unwrap();
        assert_eq!((error.code().as_deref(), error.message()), (Some("42P07"), "relation \"crews\" already exists"));
    }
}

#[tokio::test]
async fn a_migrators_table_and_schemas_are_its_own() {
    for road in Road::FERRIED {
        let stage = Stage::start();
        let mut migrator = Migrator { migrations: MIGRATOR.migrations.clone(), ..Migrator::DEFAULT };
        migrator.create_schema("\"the history\"");
        migrator.dangerous_set_table_name("\"the history\".steps");
        pgferry_sqlx::migrate::run(&migrator, road.config(&stage)).await.unwrap();
        assert_eq!(stage.psql("select count(*) from \"the history\".steps"), "2", "{road:?}");
        migrator.run(&Road::Tcp.pool(&stage).await).await.unwrap();
        assert_eq!(
            stage.psql("select count(*), to_regclass('_sqlx_migrations') is null from \"the history\".steps"),
            "2|t"
        );
    }
}
