//! diesel-async's own pools.

use diesel::sql_query;
use diesel_async::{
    RunQueryDsl,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, bb8, deadpool, mobc},
};
use pgferry_diesel::{AsyncFerryConnection, Transport};
use pgferry_test_support::Stage;

const ALL: [Transport; 3] = [Transport::WebSocket, Transport::Auto, Transport::Http];

fn manager(stage: &Stage, transport: Transport) -> AsyncDieselConnectionManager<AsyncFerryConnection> {
    AsyncDieselConnectionManager::new(format!("{}&transport={transport}", stage.url()))
}

#[tokio::test]
async fn deadpool_hands_connections_out() {
    let stage = Stage::start();
    for transport in ALL {
        let pool = deadpool::Pool::builder(manager(&stage, transport)).max_size(2).build().unwrap();
        for _ in 0..5 {
            let (mut one, mut two) = (pool.get().await.unwrap(), pool.get().await.unwrap());
            assert_eq!(sql_query("select 1").execute(&mut one).await, Ok(1));
            assert_eq!(sql_query("select 1").execute(&mut two).await, Ok(1));
        }
        assert_eq!(pool.status().size, 2);
    }
}

#[tokio::test]
async fn bb8_hands_connections_out() {
    let stage = Stage::start();
    for transport in ALL {
        let pool = bb8::Pool::builder().max_size(2).build(manager(&stage, transport)).await.unwrap();
        for _ in 0..5 {
            let mut one = pool.get().await.unwrap();
            assert_eq!(sql_query("select 1").execute(&mut one).await, Ok(1));
        }
    }
}

#[tokio::test]
async fn mobc_hands_connections_out() {
    let stage = Stage::start();
    for transport in ALL {
        let pool = mobc::Pool::new(manager(&stage, transport));
        for _ in 0..5 {
            let mut one = pool.get().await.unwrap();
            assert_eq!(sql_query("select 1").execute(&mut one).await, Ok(1));
        }
    }
}

#[tokio::test]
async fn a_connection_that_was_lost_is_replaced() {
    let stage = Stage::start();
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    let url = format!("{}&transport=websocket&application_name=pooled", stage.url());
    let manager = AsyncDieselConnectionManager::<AsyncFerryConnection>::new_with_config(url, config);
    let pool = deadpool::Pool::builder(manager).max_size(1).build().unwrap();
    let mut first = pool.get().await.unwrap();
    assert_eq!(sql_query("select 1").execute(&mut first).await, Ok(1));
    stage.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pooled'");
    // It is seen without a question, but not before the end has arrived.
    while first.is_broken_now() {
        tokio::task::yield_now().await;
    }
    drop(first);
    let mut second = pool.get().await.unwrap();
    assert_eq!(sql_query("select 1").execute(&mut second).await, Ok(1));
}

trait IsBroken {
    fn is_broken_now(&mut self) -> bool;
}

impl IsBroken for deadpool::Object<AsyncFerryConnection> {
    /// Whether the end has not been heard of yet.
    fn is_broken_now(&mut self) -> bool {
        use diesel_async::pooled_connection::PoolableConnection;

        !AsyncFerryConnection::is_broken(self)
    }
}

#[tokio::test]
async fn a_transaction_that_was_dropped_takes_its_connection_along() {
    let stage = Stage::start();
    stage.psql("create table t (id integer); alter table t owner to app");
    let pool = deadpool::Pool::builder(manager(&stage, Transport::WebSocket)).max_size(1).build().unwrap();
    let mut connection = pool.get().await.unwrap();
    let transaction = diesel_async::AsyncConnection::transaction(&mut connection, async |connection| {
        sql_query("insert into t values (1)").execute(connection).await?;
        std::future::pending::<diesel::QueryResult<()>>().await
    });
    let dropped = tokio::time::timeout(std::time::Duration::from_millis(500), transaction).await;
    assert!(dropped.is_err());
    drop(connection);
    let mut connection = pool.get().await.unwrap();
    assert_eq!(sql_query("select id from t").execute(&mut connection).await, Ok(0));
}
