//! The handle that opens pools and executes by itself, and how long things behind it live.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use futures_util::TryStreamExt;
use pgferry_sqlx::{Ferry, PgPoolOptionsExt, Transport};
use sqlx::{Acquire, Executor, PgExecutor, PgPool, Postgres, SqlSafeStr, Statement, postgres::PgPoolOptions};

use pgferry_test_support::{Postgres as Server, Proxy, Stage, TestGateway};

use super::over;

const TRANSPORTS: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];

async fn as_executor<'e>(executor: impl PgExecutor<'e>) -> i32 {
    sqlx::query_scalar("select 40 + $1").bind(2).fetch_one(executor).await.unwrap()
}

async fn as_acquire<'a>(source: impl Acquire<'a, Database = Postgres>) -> i32 {
    let mut connection = source.acquire().await.unwrap();
    sqlx::query_scalar("select 7").fetch_one(&mut *connection).await.unwrap()
}

#[tokio::test]
async fn it_executes_and_acquires_itself() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = Ferry::connect(over(&stage, transport)).await.unwrap();
        assert_eq!(as_executor(&ferry).await, 42);
        assert_eq!(as_acquire(&ferry).await, 7);
        assert_eq!(as_acquire(&ferry.clone()).await, 7);
        sqlx::query("create table t (a int)").execute(&ferry).await.unwrap();
        sqlx::raw_sql("insert into t values (1); insert into t values (2)").execute(&ferry).await.unwrap();
        let rows: Vec<i32> =
            sqlx::query_scalar::<_, i32>("select a from t order by a").fetch(&ferry).try_collect().await.unwrap();
        assert_eq!(rows, [1, 2]);
        let missing = sqlx::query("select a from t where false").fetch_one(&ferry).await.unwrap_err();
        assert!(matches!(missing, sqlx::Error::RowNotFound));
        let error = sqlx::query("select nothing").fetch_one(&ferry).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42703"), "{transport}");
        let statement = (&ferry).prepare("select a from t where a = $1".into_sql_str()).await.unwrap();
        assert_eq!(statement.query_as::<(i32,)>().bind(2).fetch_one(&ferry).await.unwrap(), (2,));
        // A stream that is left in the middle takes nothing with it.
        let mut stream = sqlx::query("select n from generate_series(1, 100000) as n").fetch(&ferry);
        stream.try_next().await.unwrap().unwrap();
        drop(stream);
        assert_eq!(as_executor(&ferry).await, 42);
    }
}

#[tokio::test]
async fn it_begins_where_there_are_transactions() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = Ferry::new(over(&stage, transport)).unwrap();
        assert_eq!(ferry.capabilities().unwrap().interactive_transactions(), transport != Transport::Http);
        sqlx::query("create table t (a int)").execute(&ferry).await.unwrap();
        match ferry.begin().await {
            Ok(mut transaction) => {
                assert_ne!(transport, Transport::Http);
                sqlx::query("insert into t values (1)").execute(&mut *transaction).await.unwrap();
                transaction.rollback().await.unwrap();
                let mut transaction = Acquire::begin(&ferry).await.unwrap();
                sqlx::query("insert into t values (2)").execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
                assert_eq!(stage.psql("select a from t"), "2");
            }
            Err(error) => {
                assert_eq!(transport, Transport::Http);
                assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("0A000"));
                assert!(error.to_string().contains("websocket"), "{error}");
                assert_eq!(as_executor(&ferry).await, 42);
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_needed_and_connect_verifies() {
    let stage = Stage::start();
    let address = stage.gateway().address();
    for transport in TRANSPORTS {
        let proxy = Proxy::start(address, Duration::ZERO).unwrap();
        let through = |url: &str| url.replace(&address.to_string(), &proxy.address().to_string());
        let config = over(&stage, transport)
            .http_url(through(stage.gateway().http_url()))
            .ws_url(through(over(&stage, transport).endpoint_ws().unwrap().as_str()));
        let ferry = Ferry::new(config).unwrap();
        let lazy = ferry.pool_lazy_with(PgPoolOptions::new()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(proxy.connections(), 0, "{transport}");
        assert_eq!(as_executor(&lazy).await, 42);

        let wrong = over(&stage, transport).password("wrong");
        let error = Ferry::connect(&wrong).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap();
        assert!(code.starts_with("28"), "{transport}: {code}: {error}");
        let error = Ferry::new(&wrong).unwrap().pool().await.unwrap_err();
        assert!(error.to_string().contains("password"), "{transport}: {error}");
    }
}

fn socket_directory(pool: &PgPool) -> PathBuf {
    pool.connect_options().get_socket().expect("a Unix socket").clone()
}

async fn expect_gone(directory: &Path) {
    for _ in 0..600 {
        if !directory.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} is still there", directory.display());
}

#[cfg(unix)]
#[tokio::test]
async fn the_endpoint_lives_as_long_as_the_last_that_uses_it() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = Ferry::new(over(&stage, transport)).unwrap();
        let (one, other) = (ferry.pool().await.unwrap(), ferry.pool().await.unwrap());
        let directory = socket_directory(&one);
        assert_eq!(socket_directory(&other), directory, "two pools, two endpoints");

        one.close().await;
        assert_eq!(as_executor(&other).await, 42, "a pool ended with another");
        assert_eq!(as_executor(&ferry).await, 42, "the ferry ended with a pool");
        drop(ferry);
        assert!(directory.exists());
        // With a new connection, too.
        let (first, second) = (other.acquire().await.unwrap(), other.acquire().await.unwrap());
        drop((first, second));
        assert_eq!(as_executor(&other).await, 42, "{transport}: a pool ended with its ferry");
        drop(other);
        expect_gone(&directory).await;
    }
}

#[tokio::test]
async fn a_closed_ferry_says_so_and_leaves_its_pools() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = Ferry::new(over(&stage, transport)).unwrap();
        let pool = ferry.pool().await.unwrap();
        assert_eq!(as_executor(&ferry).await, 42);
        let clone = ferry.clone();
        ferry.close().await;
        assert!(clone.is_closed());
        for error in [
            sqlx::query("select 1").execute(&clone).await.unwrap_err(),
            clone.acquire().await.unwrap_err(),
            clone.pool().await.unwrap_err(),
        ] {
            assert!(matches!(error, sqlx::Error::PoolClosed), "{error}");
        }
        let mut batch = clone.batch();
        batch.execute("select 1");
        assert!(matches!(batch.send().await.unwrap_err(), sqlx::Error::PoolClosed));
        assert_eq!(as_executor(&pool).await, 42);
        clone.close().await;
    }
}

/// What tests of one binary share, each with a runtime of its own.
static SHARED: OnceLock<(Ferry, Ferry, TestGateway)> = OnceLock::new();

fn shared() -> [&'static Ferry; 2] {
    let (http, websocket, _gateway) = SHARED.get_or_init(|| {
        let postgres = Server::shared().unwrap();
        let gateway = TestGateway::start(postgres).unwrap();
        let config: pgferry_sqlx::Config = gateway.ferry(&postgres.url()).parse().unwrap();
        let over = |transport| Ferry::new(config.clone().transport(transport)).unwrap();
        (over(Transport::Http), over(Transport::WebSocket), gateway)
    });
    [http, websocket]
}

#[test]
fn one_in_a_static_serves_runtimes_that_come_and_go() {
    let threads: Vec<_> = (0..4)
        .map(|number| {
            std::thread::spawn(move || {
                for _ in 0..5 {
                    let runtime = match number % 2 {
                        0 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
                        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
                    };
                    runtime.unwrap().block_on(async {
                        for ferry in shared() {
                            assert_eq!(as_executor(ferry).await, 42);
                            assert_eq!(as_acquire(ferry).await, 7);
                            let mut batch = ferry.batch();
                            let one = batch.fetch_one(sqlx::query_scalar::<_, i32>("select 1"));
                            assert_eq!(batch.send().await.unwrap().take(one).unwrap(), 1);
                            let pool = ferry.pool().await.unwrap();
                            assert_eq!(as_executor(&pool).await, 42);
                        }
                    });
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_thread_without_a_runtime_executes_and_sends_batches() {
    for ferry in shared() {
        futures_executor(async {
            assert_eq!(as_executor(ferry).await, 42);
            let mut batch = ferry.batch();
            let one = batch.fetch_one(sqlx::query_scalar::<_, i32>("select 1"));
            assert_eq!(batch.send().await.unwrap().take(one).unwrap(), 1);
        });
    }
}

/// Runs a future on this thread alone, without any reactor.
fn futures_executor<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::park();
    }
}

#[tokio::test]
async fn a_blocked_runtime_does_not_stop_the_ferry() {
    let [ferry, _] = shared();
    // Within a current-thread runtime that does nothing else meanwhile.
    let value = std::thread::spawn(|| futures_executor(async { as_executor(shared()[0]).await })).join().unwrap();
    assert_eq!(value, 42);
    assert_eq!(as_executor(ferry).await, 42);
}

#[tokio::test]
async fn migrations_run_over_each_transport() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1_one.sql"), "create table one (a int); insert into one values (1);")
            .unwrap();
        let migrator = sqlx::migrate::Migrator::new(folder.path()).await.unwrap();
        let ferry = Ferry::new(over(&stage, transport)).unwrap();
        ferry.migrate(&migrator).await.unwrap();
        ferry.migrate(&migrator).await.unwrap();
        assert_eq!(stage.psql("select count(*) from one"), "1", "{transport}");
    }
}

/// Where a child process tells its parent's test to hold an endpoint.
#[cfg(unix)]
const HOLDS: &str = "PGFERRY_TEST_HOLDS_AN_ENDPOINT";

#[cfg(unix)]
#[tokio::test]
async fn what_a_killed_process_leaves_the_next_removes() {
    use std::{
        io::{BufRead, BufReader, Write},
        process::{Command, Stdio},
    };

    if std::env::var_os(HOLDS).is_some() {
        let ferry = Ferry::new("postgresql://app@db.example.com/app?transport=http").unwrap();
        let pool = ferry.pool_lazy_with(PgPoolOptions::new()).unwrap();
        // Past the harness, which keeps what tests print to itself.
        writeln!(std::io::stderr().lock(), "holds {}", socket_directory(&pool).display()).unwrap();
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let name = std::thread::current().name().unwrap().to_owned();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(HOLDS, "1")
        .env("XDG_RUNTIME_DIR", parent.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let directory = lines.map_while(Result::ok).find_map(|line| Some(PathBuf::from(line.split_once("holds ")?.1)));
    let directory = directory.expect("a child that says what it holds");
    assert!(directory.starts_with(parent.path()) && directory.exists());
    // SIGKILL: nothing in the child runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(directory.exists());

    let next = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlx::ferry::what_is_shown_has_no_password"])
        .env("XDG_RUNTIME_DIR", parent.path())
        .stdout(Stdio::null())
        .status();
    assert!(next.unwrap().success());
    assert!(!directory.exists(), "{} is still there", directory.display());
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn pools_that_are_built_otherwise_stay() {
    let stage = Stage::start();
    let config = over(&stage, Transport::Http);
    let pool = PgPoolOptions::new().connect_over(&config).await.unwrap();
    assert_eq!(as_executor(&pool).await, 42);
    let (options, _guard) = pgferry_sqlx::connect_options(&config).unwrap();
    assert_eq!(as_executor(&PgPool::connect_with(options).await.unwrap()).await, 42);
}

#[test]
fn what_is_shown_has_no_password() {
    let ferry = Ferry::new("postgresql://app:hush-hush@db.example.com/app?transport=http").unwrap();
    let mut batch = ferry.batch();
    batch.execute("select 'hush-hush'");
    for shown in [format!("{ferry:?}"), format!("{batch:?}")] {
        assert!(!shown.contains("hush-hush"), "{shown}");
    }
}
