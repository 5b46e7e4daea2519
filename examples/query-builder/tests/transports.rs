//! The example, over each transport.

use pgferry_example_query_builder::{Rig, Ship, Wanted, create, find, insert, run, sell};
use pgferry_sqlx::{Config, Transport};
use pgferry_test_support::Stage;

const TRANSPORTS: [Transport; 3] = [Transport::WebSocket, Transport::Auto, Transport::Http];

fn stage(transport: Transport) -> (Stage, Config) {
    let stage = Stage::start();
    let config = stage.config().transport(transport);
    (stage, config)
}

#[tokio::test]
async fn everything_is_found() -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let (_stage, config) = stage(transport);
        assert_eq!(run(&config).await?, ["Barge, Ferry, Raft", "Barge, Ferry", "Barge, Raft", "Ferry"], "{transport}");
    }
    Ok(())
}

#[tokio::test]
async fn a_thousand_rows_go_in_one_statement() -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let (stage, config) = stage(transport);
        let pool = pgferry_sqlx::pool(&config).await?;
        create(&pool).await?;
        let ships: Vec<Ship> = (0..1000)
            .map(|tons| Ship { name: format!("No {tons}"), tons, rig: Rig::Sloop, ports: vec![format!("{{\"{tons},")] })
            .collect();
        assert_eq!(insert(&pool, &ships).await?, 1000, "{transport}");
        assert_eq!(insert(&pool, &ships[..10]).await?, 0, "{transport}");
        let pairs = ships.iter().take(500).map(|ship| (ship.name.clone(), ship.tons)).collect();
        let found = find(&pool, &Wanted { least_tons: Some(490), pairs, ..Wanted::default() }).await?;
        assert_eq!(found, ships[490..500], "{transport}");
        let (text, sold) = sell(&pool, 998).await?;
        assert_eq!(text, "delete from ships where tons < $1 returning name");
        assert_eq!(sold.len(), 998, "{transport}");
        assert_eq!(stage.psql("select count(*), min(log->>0) from ships"), "2|{\"998,", "{transport}");
        pool.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_transaction_needs_a_session() -> anyhow::Result<()> {
    for transport in TRANSPORTS {
        let (stage, config) = stage(transport);
        let pool = pgferry_sqlx::pool(&config).await?;
        create(&pool).await?;
        let ship = Ship { name: "Ferry".into(), tons: 1, rig: Rig::Ketch, ports: Vec::new() };
        if transport == Transport::Http {
            let refused = pool.begin().await.expect_err("HTTP has no session").to_string();
            assert!(refused.contains("transport=websocket"), "{refused}");
            // One statement is a transaction, however much it does.
            insert(&pool, &[ship]).await?;
        } else {
            let mut transaction = pool.begin().await?;
            let mut builder = sqlx::QueryBuilder::new("insert into ships ");
            builder.push_values([ship], |mut row, ship| {
                row.push_bind(ship.name).push_bind(ship.tons).push_bind(ship.rig).push_bind(ship.ports);
            });
            builder.build().execute(&mut *transaction).await?;
            assert_eq!(stage.psql("select count(*) from ships"), "0", "{transport}");
            transaction.commit().await?;
        }
        assert_eq!(stage.psql("select count(*) from ships"), "1", "{transport}");
        pool.close().await;
    }
    Ok(())
}
