//! The example, over each transport.

use pgferry_example_sea_orm::{
    add_crew, connect, crews,
    entity::{crew::Mood, sailor},
    insert_crew, insert_sailors,
    migration::Migrator,
    move_sailor, run,
};
use pgferry_sqlx::Transport;
use pgferry_test_support::Stage;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, SqlErr, TransactionTrait, prelude::Uuid};
use sea_orm_migration::MigratorTrait;

const FAITHFUL: [Transport; 2] = [Transport::WebSocket, Transport::Auto];

#[tokio::test]
async fn everything_is_found() -> anyhow::Result<()> {
    for transport in FAITHFUL {
        let stage = Stage::start();
        assert_eq!(run(&stage.config().transport(transport)).await?, ["Ferry: Ada", "Raft: Bo, Cy"], "{transport}");
        assert_eq!(stage.psql("select to_regclass('crews') is null and to_regtype('mood') is null"), "t");
    }
    Ok(())
}

#[tokio::test]
async fn migrations_are_applied_once_and_listed() -> anyhow::Result<()> {
    for transport in FAITHFUL {
        let stage = Stage::start();
        let database = connect(stage.config().transport(transport)).await?;
        assert_eq!(Migrator::get_pending_migrations(&database).await?.len(), 2, "{transport}");
        Migrator::up(&database, Some(1)).await?;
        Migrator::up(&database, None).await?;
        Migrator::up(&database, None).await?;
        assert_eq!(Migrator::get_applied_migrations(&database).await?.len(), 2, "{transport}");
        Migrator::fresh(&database).await?;
        Migrator::status(&database).await?;
        assert_eq!(stage.psql("select count(*) from seaql_migrations"), "2", "{transport}");
        database.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing() -> anyhow::Result<()> {
    for transport in FAITHFUL {
        let stage = Stage::start();
        let database = connect(stage.config().transport(transport)).await?;
        Migrator::up(&database, None).await?;
        let [one, two] = [Uuid::from_u128(1), Uuid::from_u128(2)];
        add_crew(&database, one, "Ferry", &[("Ada", None)]).await?;
        let twice = add_crew(&database, two, "Ferry", &[("Bo", None)]).await.expect_err("names are unique");
        assert!(matches!(twice.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{transport} {twice}");
        let nowhere = move_sailor(&database, "Ada", two).await.expect_err("there is no such crew");
        assert!(matches!(nowhere.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))), "{transport} {nowhere}");
        database
            .transaction::<_, (), DbErr>(|transaction| {
                Box::pin(async move {
                    insert_crew(transaction, two, "Raft").await?;
                    let inner = transaction.begin().await?;
                    insert_sailors(&inner, two, &[("Cy", None)]).await?;
                    inner.rollback().await
                })
            })
            .await?;
        let found = crews(&database).await?.into_iter().map(|(crew, sailors)| (crew.name, sailors.len()));
        let found: Vec<_> = found.collect();
        assert_eq!(found, [("Ferry".to_owned(), 1), ("Raft".to_owned(), 0)], "{transport}");
        database.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn over_http_single_statements_work_and_the_rest_is_refused() -> anyhow::Result<()> {
    let stage = Stage::start();
    let config = stage.config();
    // Migrations are a session's work: they go over the other transport.
    let refused = Migrator::up(&connect(config.clone().transport(Transport::Http)).await?, None).await;
    let refused = refused.expect_err("HTTP has no session").to_string();
    assert!(refused.contains("transport=websocket"), "{refused}");
    let sessions = connect(config.clone().transport(Transport::WebSocket)).await?;
    Migrator::up(&sessions, None).await?;

    let database = connect(config.transport(Transport::Http)).await?;
    let id = Uuid::from_u128(1);
    let refused = add_crew(&database, id, "Ferry", &[]).await.expect_err("HTTP has no session").to_string();
    assert!(refused.contains("transport=websocket"), "{refused}");
    let crew = insert_crew(&database, id, "Ferry").await?;
    assert_eq!((crew.mood, crew.ports.len(), crew.log.to_string().as_str()), (Mood::Sad, 2, "[\"Ferry\"]"));
    insert_sailors(&database, id, &[("Ada", Some(i64::MAX)), ("Bo", None)]).await?;
    let paid = sailor::Entity::find().filter(sailor::Column::Pay.is_not_null());
    assert_eq!(paid.clone().count(&database).await?, 1);
    assert_eq!(paid.one(&database).await?.and_then(|sailor| sailor.pay), Some(i64::MAX));
    assert_eq!(crews(&database).await?, crews(&sessions).await?);
    sailor::Entity::delete_many().filter(sailor::Column::Name.eq("Bo")).exec(&database).await?;
    assert_eq!(stage.psql("select string_agg(name, ' ') from sailors"), "Ada");
    Ok(())
}
