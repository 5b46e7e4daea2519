//! The example, over each transport.

use pgferry_example_sea_query::{Paid, add_crew, add_sailors, create, pay, run};
use pgferry_sqlx::Transport;
use pgferry_test_support::Stage;

const TRANSPORTS: [Transport; 3] = [Transport::WebSocket, Transport::Auto, Transport::Http];

#[tokio::test]
async fn everything_is_found() -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let lines = run(&stage.config().transport(transport)).await?;
        assert_eq!(lines, ["Ferry: 2 sailors, 35", "Raft: 1 sailors, 10", "1 cheered up"], "{transport}");
    }
    Ok(())
}

#[tokio::test]
async fn what_the_database_refuses_is_told_as_ever() -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let pool = pgferry_sqlx::pool(stage.config().transport(transport)).await?;
        create(&pool).await?;
        let crew = add_crew(&pool, "O'Hara; drop table crews", "sad").await?;
        let twice = add_crew(&pool, "O'Hara; drop table crews", "ok").await.expect_err("names are unique");
        assert!(twice.as_database_error().is_some_and(|error| error.is_unique_violation()), "{transport} {twice}");
        let nobody = add_sailors(&pool, &[("Ada", crew + 100, None)]).await.expect_err("there is no such crew");
        assert!(
            nobody.as_database_error().is_some_and(|error| error.is_foreign_key_violation()),
            "{transport} {nobody}"
        );
        let mood = add_crew(&pool, "Raft", "angry").await.expect_err("there is no such mood");
        assert_eq!(mood.as_database_error().and_then(|error| error.code()).as_deref(), Some("22P02"), "{transport}");
        let nobody = Paid { name: "O'Hara; drop table crews".into(), sailors: 0, pay: None };
        assert_eq!(pay(&pool, 0).await?, [nobody], "{transport}");
        pool.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_transaction_needs_a_session() -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let pool = pgferry_sqlx::pool(stage.config().transport(transport)).await?;
        create(&pool).await?;
        match pool.begin().await {
            Err(refused) => {
                assert_eq!(transport, Transport::Http, "{refused}");
                assert!(refused.to_string().contains("transport=websocket"), "{refused}");
            }
            Ok(mut transaction) => {
                assert_ne!(transport, Transport::Http);
                sqlx::query("insert into crews (name, mood) values ('Ferry', 'ok')").execute(&mut *transaction).await?;
                transaction.rollback().await?;
            }
        }
        assert_eq!(stage.psql("select count(*) from crews"), "0", "{transport}");
        pool.close().await;
    }
    Ok(())
}
