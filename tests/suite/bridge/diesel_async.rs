//! diesel-async's own connection, on tokio-postgres, as a client of a bridge.

use std::time::Duration;

use diesel::{prelude::*, sql_query, sql_types::Integer};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
    pooled_connection::{AsyncDieselConnectionManager, deadpool},
};
use futures_util::{StreamExt, future::try_join_all};
use pgferry::{
    Config, Transport,
    bridge::{Bridge, Verification},
};
use pgferry_test_support::{Proxy, Stage};
use tokio::time::timeout;
use tokio_postgres::NoTls;

const FAITHFUL: [Transport; 2] = [Transport::WebSocket, Transport::Auto];

/// Against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(config: &Config, transport: Transport) -> Bridge {
    Bridge::start(&config.clone().transport(transport), Verification::Connect).unwrap()
}

async fn connect(bridge: &Bridge) -> AsyncPgConnection {
    AsyncPgConnection::establish(bridge.url().unwrap().reveal()).await.unwrap()
}

async fn ask(mut connection: &AsyncPgConnection, number: i32) -> QueryResult<i32> {
    diesel::select(number.into_sql::<Integer>() + 1).get_result(&mut connection).await
}

#[tokio::test]
async fn a_pool_takes_its_url() {
    for transport in FAITHFUL {
        let stage = Stage::start();
        let bridge = start(&stage.config(), transport);
        let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(bridge.url().unwrap().reveal());
        let pool = deadpool::Pool::builder(manager).max_size(2).build().unwrap();
        let all = (0..6).map(async |number| {
            let connection = pool.get().await.unwrap();
            ask(&connection, number).await
        });
        assert_eq!(try_join_all(all).await.unwrap(), [1, 2, 3, 4, 5, 6], "{transport}");
    }
}

/// The rounds of flights that a new statement, the same again, ten at once and a transaction take.
async fn flights(connection: &mut AsyncPgConnection, proxy: &Proxy) -> [usize; 4] {
    let mut counts = [0; 4];
    for (index, count) in counts.iter_mut().enumerate() {
        let before = proxy.flights();
        match index {
            0 | 1 => assert_eq!(ask(connection, 1).await, Ok(2)),
            2 => assert_eq!(try_join_all((0..10).map(|n| ask(connection, n))).await.unwrap().len(), 10),
            _ => {
                let summed = connection.transaction(async |connection| {
                    let one = ask(connection, 1).await?;
                    QueryResult::Ok(one + ask(connection, 2).await?)
                });
                assert_eq!(summed.await, Ok(5));
            }
        }
        *count = proxy.flights() - before;
    }
    counts
}

#[tokio::test]
async fn it_takes_no_more_round_trips_than_over_tcp() {
    let stage = Stage::start();
    let delay = Duration::from_millis(20);
    let before_server = Proxy::start(([127, 0, 0, 1], stage.postgres().port()).into(), delay).unwrap();
    let direct = stage
        .postgres_url()
        .replace(&format!(":{}/", stage.postgres().port()), &format!(":{}/", before_server.address().port()));
    let over_tcp = flights(&mut AsyncPgConnection::establish(&direct).await.unwrap(), &before_server).await;

    let before_gateway = Proxy::start(stage.gateway().address(), delay).unwrap();
    let config = stage.config().ws_url(format!("ws://{}/v2", before_gateway.address()));
    let bridge = start(&config, Transport::WebSocket);
    let bridged = flights(&mut connect(&bridge).await, &before_gateway).await;
    assert_eq!(over_tcp, [2, 1, 1, 4]);
    assert_eq!(bridged, over_tcp);
}

#[tokio::test]
async fn notifications_come_and_a_token_cancels() {
    for transport in FAITHFUL {
        let stage = Stage::start();
        let bridge = start(&stage.config(), transport);
        let mut connection = connect(&bridge).await;
        connection.batch_execute("listen tidings").await.unwrap();
        stage.psql("notify tidings, 'ebb'");
        let mut notifications = Box::pin(connection.notifications_stream());
        let told = timeout(PATIENCE, notifications.next()).await.unwrap().unwrap().unwrap();
        drop(notifications);
        assert_eq!((told.channel.as_str(), told.payload.as_str()), ("tidings", "ebb"), "{transport}");

        let token = connection.cancel_token();
        let cancelling = async {
            // A cancel request that comes before the statement is of no effect.
            while stage
                .psql("select count(*) from pg_stat_activity where query like 'select pg_sleep(%' and state = 'active'")
                != "1"
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            token.cancel_query(NoTls).await.unwrap();
        };
        let sleeping = sql_query("select pg_sleep(600)").execute(&mut connection);
        let (slept, ()) = timeout(PATIENCE, async { tokio::join!(sleeping, cancelling) }).await.unwrap();
        assert_eq!(slept.unwrap_err().to_string(), "canceling statement due to user request", "{transport}");
        assert_eq!(ask(&connection, 1).await, Ok(2), "{transport}");
    }
}

#[tokio::test]
async fn over_http_alone_it_is_told_what_to_take() {
    let stage = Stage::start();
    let bridge = start(&stage.config(), Transport::Http);
    let error = AsyncPgConnection::establish(bridge.url().unwrap().reveal()).await.err().expect("SET needs a session");
    assert!(error.to_string().contains("transport=websocket"), "{error}");
}
