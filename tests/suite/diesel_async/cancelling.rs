//! Cancel tokens, notifications, and what becomes of a connection that is dropped or lost.

use std::time::Duration;

use diesel::{QueryResult, result::Error, sql_query};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::{StreamExt, join};
use pgferry_diesel::{AsyncFerryConnection, Transport};
use pgferry_test_support::Stage;
use tokio::time;

const ALL: [Transport; 3] = [Transport::WebSocket, Transport::Auto, Transport::Http];

/// Waits until a condition holds, as the server sees it.
async fn until(stage: &Stage, question: &str, answer: &str) {
    for _ in 0..200 {
        if stage.psql(question) == answer {
            return;
        }
        time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{question} is still not {answer}");
}

fn sleeping(stage: &Stage) -> String {
    format!(
        "select count(*) from pg_stat_activity where datname = '{}' and state = 'active' and query like '%pg_sleep(60)%' \
         and pid <> pg_backend_pid()",
        stage.database()
    )
}

#[tokio::test]
async fn a_token_cancels_what_runs() {
    let stage = Stage::start();
    for transport in ALL {
        let mut connection = super::ferry(&stage, transport).await;
        let token = connection.cancel_token();
        let cancel = async {
            until(&stage, &sleeping(&stage), "1").await;
            token.cancel().await.unwrap();
        };
        let (result, ()) = join!(sql_query("select pg_sleep(60)").execute(&mut connection), cancel);
        let message = result.unwrap_err().to_string();
        assert_eq!(message, "canceling statement due to user request", "{transport}");
        until(&stage, &sleeping(&stage), "0").await;
        assert_eq!(sql_query("select 1").execute(&mut connection).await, Ok(1), "{transport}");
    }
}

/// The same lines for diesel-async's own connection and ours.
macro_rules! cancelled {
    ($stage:expr, $connection:expr) => {{
        let mut connection = $connection;
        let token = connection.cancel_token();
        let cancel = async {
            until($stage, &sleeping($stage), "1").await;
            token.cancel_query(tokio_postgres::NoTls).await.unwrap();
        };
        join!(sql_query("select pg_sleep(60)").execute(&mut connection), cancel).0.unwrap_err().to_string()
    }};
}

#[tokio::test]
async fn a_token_is_used_as_diesel_asyncs_own() {
    let stage = Stage::start();
    let control = cancelled!(&stage, super::tcp(&stage).await);
    for transport in ALL {
        assert_eq!(cancelled!(&stage, super::ferry(&stage, transport).await), control, "{transport}");
    }
}

#[tokio::test]
async fn a_dropped_connection_cancels_what_runs() {
    let stage = Stage::start();
    for transport in ALL {
        let mut connection = super::ferry(&stage, transport).await;
        let question = sleeping(&stage);
        let running = async {
            let _ = sql_query("select pg_sleep(60)").execute(&mut connection).await;
        };
        tokio::select! {
            () = running => panic!("it ended"),
            () = until(&stage, &question, "1") => {}
        }
        drop(connection);
        until(&stage, &sleeping(&stage), "0").await;
    }
}

#[tokio::test]
async fn notifications_arrive_while_nothing_is_asked() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto] {
        let mut connection = super::ferry(&stage, transport).await;
        connection.batch_execute("listen news").await.unwrap();
        sql_query("notify news, 'own'").execute(&mut connection).await.unwrap();
        stage.psql("notify news, 'foreign'");
        let mut notifications = std::pin::pin!(connection.notifications_stream());
        for expected in ["own", "foreign"] {
            let notification = time::timeout(Duration::from_secs(10), notifications.next()).await;
            let notification = notification.unwrap().unwrap().unwrap();
            assert_eq!(
                (notification.channel.as_str(), notification.payload.as_str()),
                ("news", expected),
                "{transport}"
            );
        }
    }
    let mut connection = super::ferry(&stage, Transport::Http).await;
    let refused = connection.batch_execute("listen news").await.unwrap_err().to_string();
    assert!(refused.contains("transport=websocket"), "{refused}");
}

#[tokio::test]
async fn a_session_that_is_killed_is_broken_and_says_so() {
    use diesel_async::pooled_connection::PoolableConnection;

    let stage = Stage::start();
    let mut connection: AsyncFerryConnection = super::ferry(&stage, Transport::WebSocket).await;
    connection.batch_execute("set application_name = 'doomed'").await.unwrap();
    assert!(!connection.is_broken());
    stage.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'doomed'");
    // Its task hears of the end by itself.
    for _ in 0..100 {
        if connection.is_broken() {
            break;
        }
        time::sleep(Duration::from_millis(20)).await;
    }
    assert!(connection.is_broken());
    let error: QueryResult<usize> = sql_query("select 1").execute(&mut connection).await;
    let Err(Error::DatabaseError(diesel::result::DatabaseErrorKind::UnableToSendCommand, _)) = error else {
        panic!("{error:?}")
    };
}

#[tokio::test]
async fn an_idle_session_is_left_for_http() {
    let stage = Stage::start();
    let mut connection = super::ferry(&stage, Transport::Auto).await;
    let sessions = format!(
        "select count(*) from pg_stat_activity where datname = '{}' and application_name = 'leaver'",
        stage.database()
    );
    assert_eq!(connection.transport(), Transport::Http);
    let name = "begin; set local application_name = 'leaver'; select 1; commit";
    connection.batch_execute(name).await.unwrap();
    assert_eq!(connection.transport(), Transport::WebSocket);
    for _ in 0..300 {
        if connection.transport() == Transport::Http {
            break;
        }
        time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(connection.transport(), Transport::Http);
    until(&stage, &sessions, "0").await;
    assert_eq!(sql_query("select 1").execute(&mut connection).await, Ok(1));
    // What clings to a session keeps it.
    connection.batch_execute("set application_name = 'keeper'").await.unwrap();
    time::sleep(Duration::from_secs(6)).await;
    assert_eq!(connection.transport(), Transport::WebSocket);
}
