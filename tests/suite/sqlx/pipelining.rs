//! What sqlx's statements cost over a WebSocket in round trips, and that nothing else differs for it.

use std::time::Duration;

use futures_util::TryStreamExt;
use pgferry::config::Describe;
use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use sqlx::{
    Column, Connection, Executor, PgConnection, PgPool, Row, SqlSafeStr, Statement, TypeInfo,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use pgferry_test_support::{Proxy, Stage};

const TYPES: &str = "create type mood as enum ('calm', 'wild'); create type place as (x int, feeling mood);
    create table people (id int primary key, feeling mood, home place, moods mood[], places place[]);
    insert into people values (1, 'calm', '(1,wild)', '{calm,wild}', array[row(2, 'calm')::place])";

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Calm,
    Wild,
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "place")]
struct Place {
    x: i32,
    feeling: Mood,
}

/// A stage whose WebSockets are counted by a proxy.
struct Counted {
    stage: Stage,
    proxy: Proxy,
}

impl Counted {
    fn start() -> Self {
        let stage = Stage::start();
        stage.psql("grant all on schema public to public");
        let proxy = Proxy::start(stage.gateway().address(), Duration::ZERO).unwrap();
        Self { stage, proxy }
    }

    fn config(&self) -> Config {
        self.stage.config().transport(Transport::WebSocket).ws_url(format!("ws://{}/v2", self.proxy.address()))
    }

    async fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(1).connect_over(self.config()).await.unwrap()
    }

    /// Runs something and returns how many flights it took.
    async fn flights<T>(&self, run: impl Future<Output = sqlx::Result<T>>) -> (usize, T) {
        let before = self.proxy.flights();
        let value = run.await.unwrap();
        (self.proxy.flights() - before, value)
    }
}

#[tokio::test]
async fn a_statement_takes_one_flight_whether_it_is_new_or_known() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let warm: i32 = sqlx::query_scalar("select 7").fetch_one(&pool).await.unwrap();
    assert_eq!(warm, 7);
    pool.execute("create table t (id serial primary key, name text)").await.unwrap();
    sqlx::query("select name from t").fetch_optional(&pool).await.unwrap();
    for text in ["select 1 + $1", "select (select count(*) from t)::int4 + $1", "select id from t where id = $1"] {
        for use_of_it in ["new", "known", "known"] {
            let statement = sqlx::query_scalar::<_, i32>(text).bind(1);
            let (flights, _) = counted.flights(statement.fetch_optional(&pool)).await;
            assert_eq!(flights, 1, "{use_of_it}: {text}");
        }
    }
    let (flights, inserted) =
        counted.flights(sqlx::query("insert into t (name) values ($1)").bind("a").execute(&pool)).await;
    assert_eq!((flights, inserted.rows_affected()), (1, 1));
}

#[tokio::test]
async fn a_transaction_of_new_statements_takes_a_flight_each() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create table t (id serial primary key, name text)").await.unwrap();
    sqlx::query("select name from t").fetch_optional(&pool).await.unwrap();
    let (flights, id) = counted
        .flights(async {
            let mut transaction = pool.begin().await?;
            let id: i32 = sqlx::query_scalar("insert into t (name) values ($1) returning id")
                .bind("Ann")
                .fetch_one(&mut *transaction)
                .await?;
            let name: String =
                sqlx::query_scalar("select name from t where id = $1").bind(id).fetch_one(&mut *transaction).await?;
            assert_eq!(name, "Ann");
            sqlx::query("update t set name = $1").bind("Bea").execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(id)
        })
        .await;
    assert!(flights <= 5, "{flights} flights");
    assert_eq!(counted.stage.psql(&format!("select name from t where id = {id}")), "Bea");
}

#[tokio::test]
async fn a_lazy_pools_first_row_comes_with_the_log_in() {
    let counted = Counted::start();
    // The gateway asks for a cleartext password, as Neon does.
    let config = counted.config().provider(pgferry::config::Provider::Neon);
    assert!(config.pipelines_password());
    for (text, flights) in [("select $1::int4 + 1", 2), ("select id + $1 from t", 3)] {
        counted.stage.psql("create table if not exists t as select 1 as id; grant all on t to public");
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_over(config.clone()).unwrap();
        let statement = sqlx::query_scalar::<_, i32>(text).bind(1);
        // The upgrade to a WebSocket is the first; TCP is not counted.
        let (taken, two) = counted.flights(statement.fetch_one(&pool)).await;
        assert_eq!((taken, two), (flights, 2), "{text}");
        let zone: String = sqlx::query_scalar("show timezone").fetch_one(&pool).await.unwrap();
        assert_eq!(zone, "UTC", "the settings travelled along");
        pool.close().await;
    }
}

#[tokio::test]
async fn a_lazy_pools_log_in_fails_at_its_first_statement() {
    let counted = Counted::start();
    let config = counted.config().provider(pgferry::config::Provider::Neon).password("wrong");
    let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(20));
    let pool = options.connect_lazy_over(config).unwrap();
    let error = sqlx::query("select 1").execute(&pool).await.unwrap_err();
    assert!(error.to_string().contains("password"), "{error}");
}

#[tokio::test]
async fn statements_leave_sqlx_s_cache_without_a_flight_of_their_own() {
    let counted = Counted::start();
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let mut connection = PgConnection::connect_with(&options.statement_cache_capacity(1)).await.unwrap();
    sqlx::query("select 0").execute(&mut connection).await.unwrap();
    for round in 0..3 {
        for text in ["select 1 + $1", "select 2 + $1"] {
            let statement = sqlx::query_scalar::<_, i32>(text).bind(round);
            let (flights, _) = counted.flights(statement.fetch_one(&mut connection)).await;
            assert_eq!(flights, 1, "{text}");
        }
    }
    let kept: Vec<String> = sqlx::query_scalar("select statement from pg_prepared_statements order by 1")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(kept, ["select statement from pg_prepared_statements order by 1"]);
    connection.clear_cached_statements().await.unwrap();
    let one: i32 = sqlx::query_scalar("select 1 + $1").bind(0).fetch_one(&mut connection).await.unwrap();
    assert_eq!(one, 1);
}

#[tokio::test]
async fn what_the_server_was_told_to_forget_fails_as_natively_or_works() {
    let counted = Counted::start();
    let mut over_tcp = PgConnection::connect(&counted.stage.postgres_url()).await.unwrap();
    let mut ferried = counted.pool().await.acquire().await.unwrap().detach();
    for connection in [&mut over_tcp, &mut ferried] {
        for forget in ["discard all", "deallocate all"] {
            let text = format!("select 1 /* {forget} */");
            let statement = || sqlx::query_scalar::<_, i32>(sqlx::AssertSqlSafe(text.clone()));
            assert_eq!(statement().fetch_one(&mut *connection).await.unwrap(), 1);
            connection.execute(forget).await.unwrap();
            let error = statement().fetch_one(&mut *connection).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("26000"), "{forget}");
            let two: i32 = sqlx::query_scalar("select 2").persistent(false).fetch_one(&mut *connection).await.unwrap();
            assert_eq!(two, 2, "{forget}");
        }
    }
}

#[tokio::test]
async fn users_types_are_as_natively_on_a_fresh_connection() {
    let counted = Counted::start();
    counted.stage.psql(TYPES);
    counted.stage.psql("grant all on people to public");
    let expected = Place { x: 1, feeling: Mood::Wild };
    for describe in [Describe::Late, Describe::Always] {
        for first_use in ["first of the bridge", "second"] {
            let config = counted.config().describe(describe);
            let pool = PgPoolOptions::new().max_connections(3).connect_over(config).await.unwrap();
            let mut one = pool.acquire().await.unwrap();
            let mut other = pool.acquire().await.unwrap();
            for connection in [&mut one, &mut other] {
                let row =
                    sqlx::query("select home, moods, places from people").fetch_one(&mut **connection).await.unwrap();
                assert_eq!(row.get::<Place, _>(0), expected, "{describe} {first_use}");
                assert_eq!(row.get::<Vec<Mood>, _>(1), [Mood::Calm, Mood::Wild]);
                assert_eq!(row.get::<Vec<Place>, _>(2), [Place { x: 2, feeling: Mood::Calm }]);
                let home: Place =
                    sqlx::query_scalar("select $1").bind(&expected).fetch_one(&mut **connection).await.unwrap();
                assert_eq!(home, expected);
            }
        }
    }
}

#[tokio::test]
async fn types_made_in_a_transaction_serve_within_it() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    sqlx::query("select 1").execute(&pool).await.unwrap();
    for end in ["rollback", "commit"] {
        let mut connection = pool.acquire().await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        transaction.execute(TYPES).await.unwrap();
        for _ in 0..2 {
            let home: Place = sqlx::query_scalar("select home from people").fetch_one(&mut *transaction).await.unwrap();
            assert_eq!(home, Place { x: 1, feeling: Mood::Wild }, "{end}");
        }
        let home = Place { x: 3, feeling: Mood::Calm };
        sqlx::query("update people set home = $1").bind(&home).execute(&mut *transaction).await.unwrap();
        match end {
            "commit" => transaction.commit().await.unwrap(),
            _ => transaction.rollback().await.unwrap(),
        }
        if end == "rollback" {
            // What sqlx has learnt of them is of no use any more.
            connection.close().await.unwrap();
        }
    }
    let mut connection = pool.acquire().await.unwrap();
    let place: Place =
        sqlx::query_scalar("select home from people where id = 1").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(place, Place { x: 3, feeling: Mood::Calm });
}

#[tokio::test]
async fn errors_are_as_natively_and_leave_the_connection_usable() {
    let counted = Counted::start();
    let mut over_tcp = PgConnection::connect(&counted.stage.postgres_url()).await.unwrap();
    let mut ferried = counted.pool().await.acquire().await.unwrap().detach();
    let mut told = Vec::new();
    for connection in [&mut over_tcp, &mut ferried] {
        let mut codes = Vec::new();
        for text in ["select nothing", "selec 1", "select 1 / $1", "select 1 / 0", "select $1::int4"] {
            for persistent in [true, true, false] {
                let statement = sqlx::query(text).bind(0).persistent(persistent);
                let outcome = statement.execute(&mut *connection).await;
                codes
                    .push(outcome.err().map(|error| error.into_database_error().unwrap().code().unwrap().into_owned()));
            }
            let mut transaction = connection.begin().await.unwrap();
            sqlx::query("select 'before'").execute(&mut *transaction).await.unwrap();
            let failed = sqlx::query("selec 2").execute(&mut *transaction).await.unwrap_err();
            codes.push(Some(failed.into_database_error().unwrap().code().unwrap().into_owned()));
            let behind = sqlx::query("select 'behind it'").execute(&mut *transaction).await.unwrap_err();
            codes.push(Some(behind.into_database_error().unwrap().code().unwrap().into_owned()));
            transaction.rollback().await.unwrap();
            assert_eq!(sqlx::query_scalar::<_, i32>("select 5").fetch_one(&mut *connection).await.unwrap(), 5);
        }
        told.push(codes);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_copy_stands_between_pipelined_statements() {
    let counted = Counted::start();
    let mut connection = counted.pool().await.acquire().await.unwrap();
    connection.execute("create table t (a int, b text)").await.unwrap();
    for round in 0..2 {
        let text = format!("select count(*)::int4 + {round} from t");
        let before: i32 = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&mut *connection).await.unwrap();
        let mut copy = connection.copy_in_raw("copy t from stdin").await.unwrap();
        copy.send(&b"1\tone\n2\ttwo\n"[..]).await.unwrap();
        assert_eq!(copy.finish().await.unwrap(), 2);
        let after: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&mut *connection).await.unwrap();
        assert_eq!((before, after), (3 * round, i64::from(2 * round + 2)));
        let mut copy = connection.copy_in_raw("copy t from stdin").await.unwrap();
        copy.send(&b"not a number\tx\n"[..]).await.unwrap();
        assert!(copy.finish().await.is_err());
        let copy = connection.copy_in_raw("copy t from stdin").await.unwrap();
        assert!(copy.abort("enough").await.is_ok());
        let out: Vec<_> = connection.copy_out_raw("copy t to stdout").await.unwrap().try_collect().await.unwrap();
        assert_eq!(out.concat().split(|byte| *byte == b'\n').count(), usize::try_from(2 * round + 3).unwrap());
    }
}

#[tokio::test]
async fn notifications_and_notices_come_between_pipelined_statements() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen("jobs").await.unwrap();
    counted.stage.psql("notify jobs, 'first'");
    assert_eq!(listener.recv().await.unwrap().payload(), "first");
    let sent: i32 = sqlx::query_scalar("select 1 from pg_notify('jobs', $1)")
        .bind("second")
        .fetch_one(&mut listener)
        .await
        .unwrap();
    assert_eq!((sent, listener.recv().await.unwrap().payload()), (1, "second"));
    drop(listener);
    sqlx::query("do $$ begin raise notice 'hear'; end $$").execute(&pool).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i32>("select 3").fetch_one(&pool).await.unwrap(), 3);
}

#[tokio::test]
async fn large_rows_and_parameters_pass() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let large = "x".repeat(20_000_000);
    let (flights, length) =
        counted.flights(sqlx::query_scalar::<_, i32>("select length($1)").bind(&large).fetch_one(&pool)).await;
    assert!(flights >= 1);
    assert_eq!(length, 20_000_000);
    let back: String = sqlx::query_scalar("select $1").bind(&large).fetch_one(&pool).await.unwrap();
    assert_eq!(back.len(), large.len());
    let text = format!("select '{}' as a", "y".repeat(2_000_000));
    for _ in 0..2 {
        let row = sqlx::query(sqlx::AssertSqlSafe(text.clone())).fetch_one(&pool).await.unwrap();
        assert_eq!(row.get::<String, _>("a").len(), 2_000_000);
    }
    assert_eq!(sqlx::query_scalar::<_, i32>("select 3").fetch_one(&pool).await.unwrap(), 3);
}

#[tokio::test]
async fn rows_left_unread_are_no_bar_to_a_new_statement() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let mut connection = pool.acquire().await.unwrap();
    for round in 0..3 {
        let mut rows =
            sqlx::query("select n, repeat('x', 1000) from generate_series(1, 5000) n").fetch(&mut *connection);
        assert!(rows.try_next().await.unwrap().is_some());
        drop(rows);
        let text = format!("select {round} + $1");
        let sum: i32 = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).bind(1).fetch_one(&mut *connection).await.unwrap();
        assert_eq!(sum, round + 1);
    }
}

#[tokio::test]
async fn prepared_statements_are_described_where_the_client_needs_it() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let late = (&pool).prepare("select 1 as a, 'x'::text as b".into_sql_str()).await.unwrap();
    assert_eq!(late.columns().len(), 1, "a placeholder");
    // Another connection knows it by the placeholder only.
    for _ in 0..2 {
        let row = late.query().fetch_one(&counted.pool().await).await.unwrap();
        assert_eq!((row.get::<i32, _>("a"), row.get::<&str, _>("b")), (1, "x"));
    }
    let wrong = (&pool).prepare("select nonsense".into_sql_str()).await.err().unwrap();
    assert_eq!(wrong.as_database_error().unwrap().code().as_deref(), Some("42703"));
    // By now the text is known to be prepared by itself.
    let told = (&counted.pool().await).prepare("select 1 as a, 'x'::text as b".into_sql_str()).await.unwrap();
    assert_eq!(told.columns().len(), 1, "another bridge does not know");
    let mut other = pool.acquire().await.unwrap().detach();
    other.clear_cached_statements().await.unwrap();
    let told = (&mut other).prepare("select 1 as a, 'x'::text as b".into_sql_str()).await.unwrap();
    assert_eq!(told.columns().len(), 2);
    let real = (&pool).prepare("select $1::int4 as a, 'x'::text as b".into_sql_str()).await.unwrap();
    let types: Vec<_> = real.columns().iter().map(|column| column.type_info().name().to_owned()).collect();
    assert_eq!(types, ["INT4", "TEXT"]);
    let config = counted.config().describe(Describe::Always);
    let always = PgPoolOptions::new().max_connections(1).connect_over(config).await.unwrap();
    let (flights, statement) = counted.flights((&always).prepare("select 1 as a, 'x'::text as b".into_sql_str())).await;
    assert_eq!((flights, statement.columns().len()), (1, 2));
    let (flights, _) = counted.flights(sqlx::query("select 2").execute(&always)).await;
    assert_eq!(flights, 2, "as natively");
}

#[tokio::test]
async fn a_ping_is_free_while_the_server_is_heard() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("select 1").execute(&mut *connection).await.unwrap();
    assert_eq!(counted.flights(connection.ping()).await.0, 0);
    tokio::time::sleep(Duration::from_millis(3200)).await;
    assert_eq!(counted.flights(connection.ping()).await.0, 1);
    assert_eq!(counted.flights(connection.ping()).await.0, 0);
}

#[tokio::test]
async fn the_status_is_the_servers_after_whatever_was_answered_here() {
    let counted = Counted::start();
    let (options, _guard): (PgConnectOptions, _) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    assert!(!connection.is_in_transaction());
    let mut transaction = connection.begin().await.unwrap();
    transaction.ping().await.unwrap();
    assert!(transaction.is_in_transaction());
    sqlx::query("select 1").execute(&mut *transaction).await.unwrap();
    assert!(transaction.is_in_transaction());
    drop(transaction);
    sqlx::query("select 2").execute(&mut connection).await.unwrap();
    assert!(!connection.is_in_transaction());
}

/// Its labels take more than a message that is looked at whole.
#[tokio::test]
async fn a_type_too_large_to_be_told_of_is_described_by_the_server() {
    let counted = Counted::start();
    counted.stage.psql(
        "do $$ begin execute (select 'create type large as enum (' || string_agg(format('%L', n || repeat('x', 50)), ',') || ')'
             from generate_series(1, 8000) n); end $$",
    );
    let pool = counted.pool().await;
    for text in ["select 1 as a", "select count(*)::int4 as a from pg_class"] {
        assert!(sqlx::query(text).fetch_one(&pool).await.unwrap().get::<i32, _>("a") > 0, "{text}");
    }
    let mut labels = sqlx::query("select enum_last(null::large)").fetch(&pool);
    assert!(labels.try_next().await.unwrap().is_some());
}
