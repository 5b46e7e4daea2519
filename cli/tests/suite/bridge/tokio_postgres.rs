//! tokio-postgres, which asks for each statement's description and sends statements ahead.

use std::{error::Error, future::poll_fn, time::Duration};

use futures_util::{SinkExt, StreamExt, TryStreamExt};
use pgferry_test_support::Stage;
use tokio::{sync::mpsc, time};
use tokio_postgres::{AsyncMessage, Client, NoTls, error::SqlState, types::Type};

use super::{Bridge, FAITHFUL};

type Result = std::result::Result<(), Box<dyn Error>>;

/// A client, and the messages that come by themselves.
async fn connect(url: &str) -> (Client, mpsc::UnboundedReceiver<AsyncMessage>) {
    let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.expect("a session");
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            // A test that does not listen has dropped the other end.
            let _ = sender.send(message);
        }
    });
    (client, receiver)
}

#[tokio::test]
async fn statements_are_described_and_sent_ahead() -> Result {
    let stage = Stage::start();
    stage.psql("create type mood as enum ('sad', 'ok')");
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        let (mut client, _) = connect(bridge.url()).await;
        let statement = client.prepare("select $1::int8 + 1 as n, 'ok'::mood as m, $2::text").await?;
        assert_eq!(statement.params(), [Type::INT8, Type::TEXT]);
        let columns: Vec<_> = statement.columns().iter().map(|column| (column.name(), column.type_().name())).collect();
        assert_eq!(columns, [("n", "int8"), ("m", "mood"), ("text", "text")]);
        let (one, failed, other) = tokio::join!(
            client.query_one("select 1 + $1::int4", &[&1]),
            client.query_one("select 1 / $1::int4", &[&0]),
            client.query_one(&statement, &[&41_i64, &"x"]),
        );
        assert_eq!(one?.get::<_, i32>(0), 2);
        assert_eq!(failed.unwrap_err().code(), Some(&SqlState::DIVISION_BY_ZERO), "{transport}");
        assert_eq!(other?.get::<_, i64>("n"), 42);

        client.batch_execute("create temp table scratch (v int)").await?;
        let transaction = client.transaction().await?;
        for v in 0..5 {
            transaction.execute("insert into scratch values ($1)", &[&v]).await?;
        }
        let portal = transaction.bind("select v from scratch order by v", &[]).await?;
        assert_eq!(transaction.query_portal(&portal, 3).await?.len(), 3);
        assert_eq!(transaction.query_portal(&portal, 3).await?.len(), 2);
        transaction.rollback().await?;
        assert_eq!(client.query_one("select count(*) from scratch", &[]).await?.get::<_, i64>(0), 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_cancelled_statement_leaves_its_session() -> Result {
    let stage = Stage::start();
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        let (client, _) = connect(bridge.url()).await;
        let token = client.cancel_token();
        let cancel = async {
            time::sleep(Duration::from_millis(500)).await;
            token.cancel_query(NoTls).await
        };
        let (slept, cancelled) = tokio::join!(client.batch_execute("select pg_sleep(600)"), cancel);
        cancelled?;
        assert_eq!(slept.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED), "{transport}");
        assert_eq!(client.query_one("select 7", &[]).await?.get::<_, i32>(0), 7);
    }
    Ok(())
}

#[tokio::test]
async fn notifications_notices_and_copies_arrive() -> Result {
    let stage = Stage::start();
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        let (client, mut messages) = connect(bridge.url()).await;
        client.batch_execute("do $$ begin raise notice 'noted'; end $$; listen tidings").await?;
        stage.psql("notify tidings, 'ebb'");
        let mut next = async || time::timeout(Duration::from_secs(20), messages.recv()).await;
        let Some(AsyncMessage::Notice(notice)) = next().await? else { panic!("{transport}: a notice") };
        assert_eq!(notice.message(), "noted");
        let Some(AsyncMessage::Notification(notification)) = next().await? else {
            panic!("{transport}: a notification")
        };
        assert_eq!((notification.channel(), notification.payload()), ("tidings", "ebb"));

        client.batch_execute("create temp table copied (n int, t text)").await?;
        let mut sink = Box::pin(client.copy_in("copy copied from stdin").await?);
        for n in 0..10_000 {
            sink.send(bytes::Bytes::from(format!("{n}\t{}\n", "x".repeat(100)))).await?;
        }
        assert_eq!(sink.as_mut().finish().await?, 10_000);
        let out = Box::pin(client.copy_out("copy copied to stdout").await?);
        let length = out.map_ok(|piece| piece.len()).try_fold(0, async |sum, length| Ok(sum + length)).await?;
        assert_eq!(length, (0..10_000).map(|n: i32| n.to_string().len() + 102).sum::<usize>(), "{transport}");
        assert!(client.copy_out("copy nowhere to stdout").await.is_err());
        assert_eq!(client.query_raw("select 1", [0_i32; 0]).await?.count().await, 1);
    }
    Ok(())
}
