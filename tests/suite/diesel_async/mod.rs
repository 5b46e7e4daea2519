//! `pgferry_diesel::AsyncFerryConnection`; diesel-async's own connection over TCP is the control.

mod batches;
mod cancelling;
mod migrations;
mod pipelining;
mod pools;
mod queries;
mod streams;
mod transactions;
mod types;

use diesel::pg::Pg;
use diesel_async::{AnsiTransactionManager, AsyncConnection, AsyncPgConnection};
use pgferry_diesel::{AsyncFerryConnection, Config, Transport};
use pgferry_test_support::Stage;

/// Makes a test of each generic function for each road; over TCP, diesel-async's own connection says what is right.
macro_rules! on_each_road {
    ($($test:ident),+ $(,)?) => {
        mod over_tcp {
            $(#[tokio::test]
            async fn $test() {
                let stage = pgferry_test_support::Stage::start();
                super::$test(&mut crate::diesel_async::tcp(&stage).await, &stage).await;
            })+
        }

        crate::diesel_async::on_each_session!($($test),+);

        mod over_http {
            $(#[tokio::test]
            async fn $test() {
                let stage = pgferry_test_support::Stage::start();
                super::$test(&mut crate::diesel_async::ferry(&stage, pgferry_diesel::Transport::Http).await, &stage).await;
            })+
        }
    };
}
use on_each_road;

/// Makes a test of each generic function for each of our roads that has sessions.
macro_rules! on_each_session {
    ($($test:ident),+ $(,)?) => {
        mod over_websocket {
            $(#[tokio::test]
            async fn $test() {
                let stage = pgferry_test_support::Stage::start();
                super::$test(&mut crate::diesel_async::ferry(&stage, pgferry_diesel::Transport::WebSocket).await, &stage).await;
            })+
        }

        mod over_auto {
            $(#[tokio::test]
            async fn $test() {
                let stage = pgferry_test_support::Stage::start();
                super::$test(&mut crate::diesel_async::ferry(&stage, pgferry_diesel::Transport::Auto).await, &stage).await;
            })+
        }
    };
}
use on_each_session;

/// Makes a test of each generic function for each road that has sessions, TCP among them.
macro_rules! on_each_session_and_tcp {
    ($($test:ident),+ $(,)?) => {
        mod over_tcp {
            $(#[tokio::test]
            async fn $test() {
                let stage = pgferry_test_support::Stage::start();
                super::$test(&mut crate::diesel_async::tcp(&stage).await, &stage).await;
            })+
        }

        crate::diesel_async::on_each_session!($($test),+);
    };
}
use on_each_session_and_tcp;

/// What every case runs on.
trait Connection: AsyncConnection<Backend = Pg, TransactionManager = AnsiTransactionManager> {}

impl Connection for AsyncPgConnection {}
impl Connection for AsyncFerryConnection {}

async fn tcp(stage: &Stage) -> AsyncPgConnection {
    AsyncPgConnection::establish(&stage.postgres_url()).await.unwrap()
}

fn config(stage: &Stage, transport: Transport) -> Config {
    stage.config().transport(transport)
}

async fn ferry(stage: &Stage, transport: Transport) -> AsyncFerryConnection {
    AsyncFerryConnection::connect(config(stage, transport)).await.unwrap()
}
