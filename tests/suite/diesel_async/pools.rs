//! diesel-async's own pools.

use std::{ops::DerefMut, time::Duration};

use diesel::{QueryResult, sql_query};
use diesel_async::{
    RunQueryDsl,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod, bb8, deadpool, mobc,
    },
};
use pgferry_diesel::{AsyncFerryConnection, Transport};
use pgferry_test_support::{Proxy, Stage};

const ALL: [Transport; 3] = [Transport::WebSocket, Transport::Auto, Transport::Http];

type Manager = AsyncDieselConnectionManager<AsyncFerryConnection>;

fn url(stage: &Stage, transport: Transport) -> String {
    format!("{}&transport={transport}", stage.url())
}

fn manager(url: String, recycling_method: RecyclingMethod<AsyncFerryConnection>) -> Manager {
    let mut config = ManagerConfig::default();
    config.recycling_method = recycling_method;
    Manager::new_with_config(url, config)
}

/// A pool of one connection, of whichever kind.
trait Pool: Sized {
    async fn new(manager: Manager) -> Self;

    async fn get(&self) -> impl DerefMut<Target = AsyncFerryConnection>;
}

impl Pool for deadpool::Pool<AsyncFerryConnection> {
    async fn new(manager: Manager) -> Self {
        Self::builder(manager).max_size(1).build().unwrap()
    }

    async fn get(&self) -> impl DerefMut<Target = AsyncFerryConnection> {
        self.get().await.unwrap()
    }
}

impl Pool for bb8::Pool<AsyncFerryConnection> {
    async fn new(manager: Manager) -> Self {
        Self::builder().max_size(1).build(manager).await.unwrap()
    }

    async fn get(&self) -> impl DerefMut<Target = AsyncFerryConnection> {
        self.get().await.unwrap()
    }
}

impl Pool for mobc::Pool<AsyncFerryConnection> {
    async fn new(manager: Manager) -> Self {
        Self::builder().max_open(1).build(manager)
    }

    async fn get(&self) -> impl DerefMut<Target = AsyncFerryConnection> {
        self.get().await.unwrap()
    }
}

async fn one(pool: &impl Pool) -> QueryResult<usize> {
    sql_query("select 1").execute(&mut *pool.get().await).await
}

macro_rules! of_each_kind {
    ($($test:ident),+ $(,)?) => {
        mod of_deadpool {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<super::deadpool::Pool<pgferry_diesel::AsyncFerryConnection>>().await;
            })+
        }

        mod of_bb8 {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<super::bb8::Pool<pgferry_diesel::AsyncFerryConnection>>().await;
            })+
        }

        mod of_mobc {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<super::mobc::Pool<pgferry_diesel::AsyncFerryConnection>>().await;
            })+
        }
    };
}

of_each_kind!(connections_are_handed_out, a_connection_that_was_lost_is_replaced);

async fn connections_are_handed_out<P: Pool>() {
    let stage = Stage::start();
    for transport in ALL {
        let pool = P::new(manager(url(&stage, transport), RecyclingMethod::Verified)).await;
        for _ in 0..5 {
            assert_eq!(one(&pool).await, Ok(1), "{transport}");
        }
    }
}

/// Whether the server is asked before or not.
async fn a_connection_that_was_lost_is_replaced<P: Pool>() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto] {
        for method in [RecyclingMethod::Fast, RecyclingMethod::Verified] {
            let pool = P::new(manager(url(&stage, transport), method)).await;
            assert_eq!(one(&pool).await, Ok(1));
            let mut first = pool.get().await;
            // It keeps a session, which is then lost.
            sql_query("set application_name = 'pooled'").execute(&mut *first).await.unwrap();
            stage.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pooled'");
            // It is seen without a question, but not before the end has arrived.
            while !first.is_broken() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(first);
            assert_eq!(one(&pool).await, Ok(1), "{transport}");
        }
    }
}

/// One that is lost while nobody has it, so that no pool has looked at it since.
#[tokio::test]
async fn bb8_replaces_what_was_lost_while_idle() {
    let stage = Stage::start();
    let url = format!("{}&application_name=idle", url(&stage, Transport::WebSocket));
    let pool = <bb8::Pool<AsyncFerryConnection> as Pool>::new(manager(url, RecyclingMethod::Fast)).await;
    assert_eq!(one(&pool).await, Ok(1));
    stage.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'idle'");
    let gone = "select count(*) from pg_stat_activity where application_name = 'idle'";
    while stage.psql(gone) != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The end may still be on its way, and is seen soon.
    let mut tries = 0;
    while one(&pool).await.is_err() {
        tries += 1;
        assert!(tries < 100, "what was lost is handed out again and again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn recycling_asks_the_server_only_if_told_to() {
    let stage = Stage::start();
    for transport in ALL {
        costs::<deadpool::Pool<AsyncFerryConnection>>(&stage, transport).await;
        costs::<bb8::Pool<AsyncFerryConnection>>(&stage, transport).await;
    }
}

async fn costs<P: Pool>(stage: &Stage, transport: Transport) {
    for (method, cost) in [(RecyclingMethod::Fast, 1), (RecyclingMethod::Verified, 2)] {
        let gateway = stage.gateway().address();
        let proxy = Proxy::start(gateway, Duration::from_millis(5)).unwrap();
        let detour = crate::diesel::detour(&url(stage, transport), gateway, proxy.address());
        let pool = P::new(manager(detour, method)).await;
        assert_eq!(one(&pool).await, Ok(1));
        let before = proxy.flights();
        for _ in 0..3 {
            assert_eq!(one(&pool).await, Ok(1));
        }
        assert_eq!(proxy.flights() - before, 3 * cost, "{transport}");
    }
}

#[tokio::test]
async fn a_transaction_that_was_dropped_takes_its_connection_along() {
    let stage = Stage::start();
    stage.psql("create table t (id integer); alter table t owner to app");
    let pool = deadpool::Pool::builder(Manager::new(url(&stage, Transport::WebSocket))).max_size(1).build().unwrap();
    let mut connection = pool.get().await.unwrap();
    let transaction = diesel_async::AsyncConnection::transaction(&mut connection, async |connection| {
        sql_query("insert into t values (1)").execute(connection).await?;
        std::future::pending::<QueryResult<()>>().await
    });
    let dropped = tokio::time::timeout(Duration::from_millis(500), transaction).await;
    assert!(dropped.is_err());
    drop(connection);
    let mut connection = pool.get().await.unwrap();
    assert_eq!(sql_query("select id from t").execute(&mut connection).await, Ok(0));
}
