//! tokio-postgres, unmodified, as a client of a bridge, which describes statements to it as the server does.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, TryStreamExt};
use pgferry::{
    Config, Transport,
    bridge::{Bridge, Verification},
};
use pgferry_test_support::{Postgres, Proxy, Stage, TestGateway};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, NoTls, SimpleQueryStream, error::SqlState};

/// Against hanging: far less than what is cancelled would take.
const PATIENCE: Duration = Duration::from_secs(30);

const SLEEP: &str = "select pg_sleep(120)";

fn bridge(config: Config, transport: Transport, verification: Verification) -> Bridge {
    Bridge::start(&config.transport(transport), verification).unwrap()
}

async fn connect(bridge: &Bridge) -> Client {
    let (client, connection) = tokio_postgres::connect(bridge.url().unwrap().reveal(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn one(client: &Client) -> i32 {
    client.query_one("select $1 + 0", &[&1_i32]).await.unwrap().get(0)
}

/// Runs what lasts too long, has it cancelled after a while, and expects to be told so.
async fn cancel_after(client: &Client, text: &str, after: Duration) {
    let token = client.cancel_token();
    let cancelling = async {
        sleep(after).await;
        token.cancel_query(NoTls).await.unwrap();
    };
    let (ended, ()) = timeout(PATIENCE, async { tokio::join!(client.batch_execute(text), cancelling) })
        .await
        .unwrap_or_else(|_| panic!("{text} goes on"));
    assert_eq!(ended.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED), "{text}");
}

#[tokio::test]
async fn it_prepares_and_executes() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let bridge = bridge(stage.config(), transport, Verification::Connect);
        let mut client = connect(&bridge).await;
        client
            .batch_execute("create table t (a int primary key, b text); insert into t values (1, 'x')")
            .await
            .unwrap();
        let insert = client.prepare("insert into t values ($1, $2) returning a, b").await.unwrap();
        for a in 2..5 {
            let row = client.query_one(&insert, &[&a, &"y"]).await.unwrap();
            assert_eq!((row.get::<_, i32>(0), row.get::<_, &str>("b")), (a, "y"), "{transport}");
        }
        let transaction = client.transaction().await.unwrap();
        assert_eq!(transaction.execute("delete from t where b = $1", &[&"y"]).await.unwrap(), 3, "{transport}");
        transaction.rollback().await.unwrap();
        let count: i64 = client.query_one("select count(*) from t", &[]).await.unwrap().get(0);
        assert_eq!(count, 4, "{transport}");
        let error = client.prepare("select nonsense from t").await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::UNDEFINED_COLUMN), "{transport}");
        assert_eq!(one(&client).await, 1, "{transport}");
    }
}

/// What has columns before it has run; a change of rows has none over HTTP.
#[tokio::test]
async fn it_prepares_and_executes_over_http() {
    let stage = Stage::start();
    let bridge = bridge(stage.config(), Transport::Http, Verification::Connect);
    let client = connect(&bridge).await;
    client.execute("create table t (a int primary key, b text)", &[]).await.unwrap();
    for a in 1..4 {
        assert_eq!(client.execute("insert into t values ($1, $2)", &[&a, &"y"]).await.unwrap(), 1);
    }
    let statement = client.prepare("select a, b from t where a > $1 order by a").await.unwrap();
    let columns: Vec<_> = statement.columns().iter().map(|column| (column.name(), column.type_().name())).collect();
    assert_eq!(columns, [("a", "int4"), ("b", "text")]);
    let rows = client.query(&statement, &[&1_i32]).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(i32, &str)>>(), [(2, "y"), (3, "y")]);
}

#[tokio::test]
async fn its_token_cancels_what_runs() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let bridge = bridge(stage.config(), transport, Verification::Connect);
        let client = connect(&bridge).await;
        // On Auto this one is a request.
        cancel_after(&client, SLEEP, Duration::from_secs(1)).await;
        assert_eq!(one(&client).await, 1, "{transport}");
        client.batch_execute("begin").await.unwrap();
        cancel_after(&client, SLEEP, Duration::from_secs(1)).await;
        client.batch_execute("rollback").await.unwrap();
        assert_eq!(one(&client).await, 1, "{transport}");
    }
}

/// A session gets to know what was prepared before it when that is used, which may be behind something that fails.
#[tokio::test]
async fn a_statement_outlives_what_fails_before_it_in_the_same_breath() {
    let stage = Stage::start();
    let bridge = bridge(stage.config(), Transport::Auto, Verification::Connect);
    let client = connect(&bridge).await;
    let statement = client.prepare("select $1::int4 + 1").await.unwrap();
    let sessions =
        "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
        and pid <> pg_backend_pid() and query like '%int4 + 1%'";
    for _ in 0..2 {
        timeout(PATIENCE, async {
            while stage.psql(sessions) != "0" {
                sleep(Duration::from_millis(200)).await;
            }
        })
        .await
        .expect("the session is still there");
        let (failed, skipped, ended, row) = tokio::join!(
            client.batch_execute("begin; select 1 / 0"),
            client.query_one(&statement, &[&1_i32]),
            client.batch_execute("rollback"),
            client.query_one(&statement, &[&2_i32]),
        );
        assert_eq!(failed.unwrap_err().code(), Some(&SqlState::DIVISION_BY_ZERO));
        assert_eq!(skipped.unwrap_err().code(), Some(&SqlState::IN_FAILED_SQL_TRANSACTION));
        ended.unwrap();
        assert_eq!(row.unwrap().get::<_, i32>(0), 3);
        // Whether the server had got it or not.
        let row = client.query_one(&statement, &[&3_i32]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), 4);
    }
}

#[tokio::test]
async fn its_portals_give_rows_in_portions() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let bridge = bridge(stage.config(), transport, Verification::Connect);
        let mut client = connect(&bridge).await;
        assert_eq!(one(&client).await, 1, "{transport}");
        let transaction = client.transaction().await.unwrap();
        let statement = transaction.prepare("select generate_series(1, $1::int4)").await.unwrap();
        let (first, second) = (
            transaction.bind(&statement, &[&5_i32]).await.unwrap(),
            transaction.bind(&statement, &[&3_i32]).await.unwrap(),
        );
        let mut read = Vec::new();
        for (portal, most) in [(&first, 2), (&second, 2), (&first, 2), (&second, 0), (&first, 2), (&first, 2)] {
            let rows = transaction.query_portal(portal, most).await.unwrap();
            read.push(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>());
        }
        assert_eq!(read, [vec![1, 2], vec![1, 2], vec![3, 4], vec![3], vec![5], vec![]], "{transport}");
        transaction.commit().await.unwrap();
        assert_eq!(one(&client).await, 1, "{transport}");
    }
}

/// It copies by the extended protocol: the statement is prepared, bound and executed.
#[tokio::test]
async fn it_copies_both_ways() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        stage.psql("create table t (a int, b text); grant all on t to public");
        let bridge = bridge(stage.config(), transport, Verification::Connect);
        let client = connect(&bridge).await;
        assert_eq!(one(&client).await, 1, "{transport}");
        let line = format!("1\t{}\n", "x".repeat(1000));
        for within_a_transaction in [false, true] {
            if within_a_transaction {
                client.batch_execute("begin").await.unwrap();
            }
            let copy_in = client.copy_in("copy t from stdin").await.unwrap();
            let mut copy_in = std::pin::pin!(copy_in);
            for _ in 0..500 {
                copy_in.send(Bytes::from(line.repeat(4))).await.unwrap();
            }
            assert_eq!(copy_in.finish().await.unwrap(), 2000, "{transport}");
            if within_a_transaction {
                client.batch_execute("rollback").await.unwrap();
            }
            let copied: Vec<Bytes> = client.copy_out("copy t to stdout").await.unwrap().try_collect().await.unwrap();
            assert_eq!(copied.iter().map(Bytes::len).sum::<usize>(), 2000 * line.len(), "{transport}");
        }
        // Data that the server refuses, an end that the client takes back, and a COPY out that fails.
        let mut copy_in = std::pin::pin!(client.copy_in("copy t from stdin").await.unwrap());
        copy_in.send(Bytes::from_static(b"no number\tx\n")).await.unwrap();
        assert_eq!(
            copy_in.finish().await.unwrap_err().code(),
            Some(&SqlState::INVALID_TEXT_REPRESENTATION),
            "{transport}"
        );
        {
            let mut copy_in = Box::pin(client.copy_in("copy t from stdin").await.unwrap());
            copy_in.send(Bytes::from_static(b"1\tx\n")).await.unwrap();
        }
        let failing = client.copy_out("copy (select 1 / a from t where a = 0 union all select 1 / 0) to stdout").await;
        let failed = match failing {
            Ok(copied) => copied.try_collect::<Vec<Bytes>>().await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(failed.code(), Some(&SqlState::DIVISION_BY_ZERO), "{transport}");
        let count: i64 = client.query_one("select count(*) from t", &[]).await.unwrap().get(0);
        assert_eq!(count, 2000, "{transport}");
    }
}

/// The way over which sessions are opened takes so long each way.
fn slow(gateway: &TestGateway, config: Config) -> (Config, Proxy) {
    let proxy = Proxy::start(gateway.address(), Duration::from_millis(400)).unwrap();
    let url = gateway.ws_url().replace(&gateway.address().to_string(), &proxy.address().to_string());
    (config.ws_url(url), proxy)
}

#[tokio::test]
async fn its_token_cancels_what_waits_for_a_session() {
    let stage = Stage::start();
    let (config, _proxy) = slow(stage.gateway(), stage.config());
    let bridge = bridge(config, Transport::Auto, Verification::Connect);
    let client = connect(&bridge).await;
    cancel_after(&client, &format!("begin; {SLEEP}"), Duration::from_millis(200)).await;
    assert_eq!(one(&client).await, 1);
}

#[tokio::test]
async fn its_token_cancels_what_a_session_is_opened_with() {
    // Where the password may go ahead, the first statement goes with it.
    let postgres = Postgres::builder().hba("host all all 127.0.0.1/32 password").start().unwrap();
    let gateway = TestGateway::start(&postgres).unwrap();
    let config: Config = gateway.ferry(&postgres.url()).parse().unwrap();
    let (config, _proxy) = slow(&gateway, config.param("provider", "neon").unwrap());
    let bridge = bridge(config, Transport::WebSocket, Verification::FirstStatement);
    let client = connect(&bridge).await;
    cancel_after(&client, SLEEP, Duration::from_millis(200)).await;
    assert_eq!(one(&client).await, 1);
}

#[tokio::test]
async fn a_bridge_that_ends_does_not_wait_for_a_session_that_opens() {
    let stage = Stage::start();
    let (config, proxy) = slow(stage.gateway(), stage.config().connect_timeout(Duration::from_secs(300)));
    let bridge = bridge(config, Transport::Auto, Verification::Connect);
    let client = connect(&bridge).await;
    proxy.cut();
    tokio::spawn(async move { client.batch_execute("begin").await });
    sleep(Duration::from_millis(500)).await;
    timeout(PATIENCE, bridge.shutdown()).await.expect("the session's opening is waited for");
}

/// More than all buffers on the way hold.
const UNREAD: &str = "select repeat('unread', 200) from generate_series(1, 200000)";

/// Has rows sent that nobody reads, until the server waits for that.
async fn leave_unread(stage: &Stage, client: &Client) -> Pin<Box<SimpleQueryStream>> {
    let mut rows = Box::pin(client.simple_query_raw(UNREAD).await.unwrap());
    timeout(PATIENCE, rows.next()).await.expect("no row comes").unwrap().unwrap();
    expect_count(stage, "wait_event = 'ClientWrite'", 1).await;
    rows
}

/// Waits until so many sessions are in this state whose statement's rows are not read.
async fn expect_count(stage: &Stage, state: &str, count: usize) {
    let question = format!(
        "select count(*) from pg_stat_activity where {state} and query like '%unread%' and datname = current_database()
         and pid <> pg_backend_pid()"
    );
    let seen = async {
        while stage.psql(&question) != count.to_string() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{state} is not seen {count} times"));
}

#[tokio::test]
async fn its_token_cancels_what_waits_to_be_read() {
    let stage = Stage::start();
    for transport in [Transport::Http, Transport::Auto] {
        let bridge = bridge(stage.config(), transport, Verification::Connect);
        let client = connect(&bridge).await;
        let mut rows = leave_unread(&stage, &client).await;
        client.cancel_token().cancel_query(NoTls).await.unwrap();
        expect_count(&stage, "state = 'active'", 0).await;
        let rest = async {
            loop {
                if let Err(error) = rows.next().await.expect("the statement ended as if it were whole") {
                    return error;
                }
            }
        };
        let error = timeout(PATIENCE, rest).await.expect("the rest does not come");
        assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED), "{transport}");
        // It was that statement's alone.
        client.batch_execute("select 1").await.unwrap();
    }
}

#[tokio::test]
async fn a_cancel_that_comes_when_nothing_runs_is_forgotten() {
    let stage = Stage::start();
    for transport in [Transport::Http, Transport::Auto, Transport::WebSocket] {
        let bridge = bridge(stage.config(), transport, Verification::FirstStatement);
        let client = connect(&bridge).await;
        for _ in 0..2 {
            client.cancel_token().cancel_query(NoTls).await.unwrap();
            // The request is read by a connection of its own, which may take a moment.
            sleep(Duration::from_millis(500)).await;
            client.batch_execute("select 1").await.unwrap_or_else(|error| panic!("{transport}: {error}"));
        }
    }
}

#[tokio::test]
async fn a_bridge_that_ends_does_not_wait_for_a_client_that_does_not_read() {
    let stage = Stage::start();
    for transport in [Transport::Http, Transport::WebSocket] {
        let bridge = bridge(stage.config(), transport, Verification::Connect);
        let client = connect(&bridge).await;
        let _rows = leave_unread(&stage, &client).await;
        timeout(PATIENCE, bridge.shutdown()).await.expect("the client is waited for");
        expect_count(&stage, "state = 'active'", 0).await;
    }
}
