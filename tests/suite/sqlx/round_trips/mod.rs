//! Round trips, counted by a proxy that delays each direction; sqlx's own connection, through such a proxy too, is the control.
//!
//! The proxy does not count the opening of a TCP connection, so each number here is one less for each connection that is opened.

mod one_shots;

use std::time::Duration;

use futures_util::{TryStreamExt, future::join_all};
use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use pgferry_test_support::{Postgres, Proxy, TestCa, TestGateway};
use sqlx::{Acquire, Connection, Executor, PgConnection, PgPool, Row, postgres::PgPoolOptions};

/// Of each direction.
const DELAY: Duration = Duration::from_millis(20);

/// Against hanging, not for speed.
const AT_MOST: Duration = Duration::from_secs(20);

const FERRIED: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];

const SCHEMA: &str = "
    create table crews (id int generated always as identity primary key, name text not null);
    insert into crews (name) select 'crew ' || n from generate_series(1, 1000) n;
";

/// Gives its argument back once so many others are called as well: a sequence is seen by all at once.
const MEETING: &str = "
    create sequence arrivals;
    create function meet(task int8, all_of_them int8) returns int8 language plpgsql as $$
        declare
            number int8 := nextval('arrivals');
            last int8 := (number + all_of_them - 1) / all_of_them * all_of_them;
        begin
            while (select last_value from arrivals) < last loop
                perform pg_sleep(0.01);
            end loop;
            return task;
        end
    $$;
";

/// A gateway behind a proxy, before a database of its own.
struct Far {
    url: String,
    gateway: TestGateway,
    proxy: Proxy,
    _ca: Option<TestCa>,
}

impl Far {
    fn plain(postgres: &Postgres, schema: &str) -> Self {
        Self::behind(postgres, schema, TestGateway::start(postgres).unwrap(), None)
    }

    fn with_tls(postgres: &Postgres, schema: &str) -> Self {
        let ca = TestCa::new().unwrap();
        Self::behind(postgres, schema, TestGateway::start_tls(postgres, &ca).unwrap(), Some(ca))
    }

    fn behind(postgres: &Postgres, schema: &str, gateway: TestGateway, ca: Option<TestCa>) -> Self {
        let database = postgres.create_database().unwrap();
        postgres.psql_in(&database, &format!("set role app; {schema}")).unwrap();
        let proxy = Proxy::start(gateway.address(), DELAY).unwrap();
        Self { url: postgres.database_url(&database), gateway, proxy, _ca: ca }
    }

    fn config(&self, transport: Transport) -> Config {
        let [from, to] =
            [&self.gateway.address(), &self.proxy.address()].map(|address| format!(":{}/", address.port()));
        let config: Config = self.gateway.ferry(&self.url).parse().unwrap();
        config
            .http_url(self.gateway.http_url().replace(&from, &to))
            .ws_url(self.gateway.ws_url().replace(&from, &to))
            .transport(transport)
    }

    /// A pool with one connection, which is idle by now.
    async fn warm(&self, transport: Transport) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(1).connect_over(self.config(transport)).await.unwrap();
        warm_up(&pool).await;
        settle(&self.proxy).await;
        pool
    }
}

/// sqlx's own connection through a proxy.
struct Native {
    url: String,
    proxy: Proxy,
}

impl Native {
    fn of(postgres: &Postgres, schema: &str) -> Self {
        let database = postgres.create_database().unwrap();
        postgres.psql_in(&database, &format!("set role app; {schema}")).unwrap();
        let proxy = Proxy::start(([127, 0, 0, 1], postgres.port()).into(), DELAY).unwrap();
        let [from, to] = [postgres.port(), proxy.address().port()].map(|port| format!(":{port}/"));
        Self { url: postgres.database_url(&database).replace(&from, &to), proxy }
    }

    async fn warm(&self) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap();
        warm_up(&pool).await;
        settle(&self.proxy).await;
        pool
    }
}

async fn warm_up(pool: &PgPool) {
    let count: i64 = sqlx::query_scalar("select count(*) from crews").fetch_one(pool).await.unwrap();
    assert!(count >= 1000);
}

/// Waits until nothing is on its way any more, of what the bridge does in the background too.
async fn settle(proxy: &Proxy) {
    loop {
        let before = proxy.flights();
        tokio::time::sleep(20 * DELAY).await;
        if proxy.flights() == before {
            return;
        }
    }
}

/// Does something and returns how many flights it took.
async fn flights<T>(proxy: &Proxy, work: impl Future<Output = T>) -> (usize, T) {
    let before = proxy.flights();
    let done = tokio::time::timeout(AT_MOST, work).await.expect("it hangs");
    (proxy.flights() - before, done)
}

async fn new_statement(pool: &PgPool, proxy: &Proxy) -> usize {
    let mut connection = pool.acquire().await.unwrap();
    settle(proxy).await;
    let (count, row) = flights(proxy, async {
        sqlx::query_as::<_, (i32, String)>("select id, name from crews where id = $1 and name like $2")
            .bind(7)
            .bind("crew%")
            .fetch_one(&mut *connection)
            .await
    })
    .await;
    assert_eq!(row.unwrap(), (7, "crew 7".to_owned()));
    count
}

async fn transaction(pool: &PgPool, proxy: &Proxy) -> usize {
    let mut connection = pool.acquire().await.unwrap();
    settle(proxy).await;
    let (count, id) = flights(proxy, async {
        let mut transaction = connection.begin().await.unwrap();
        let id: i32 = sqlx::query_scalar("insert into crews (name) values ($1) returning id")
            .bind("new")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        let changed =
            sqlx::query("update crews set name = $2 where id = $1").bind(id).bind("newer").execute(&mut *transaction);
        assert_eq!(changed.await.unwrap().rows_affected(), 1);
        let name: String = sqlx::query_scalar("select name from crews where id = $1")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(name, "newer");
        transaction.commit().await.unwrap();
        id
    })
    .await;
    let name: String =
        sqlx::query_scalar("select name from crews where id = $1").bind(id).fetch_one(&mut *connection).await.unwrap();
    assert_eq!(name, "newer");
    count
}

/// What sqlx itself spends, without which the other numbers say nothing.
#[tokio::test]
async fn control_a_new_statement_is_two_and_a_transaction_of_three_is_eight() {
    let native = Native::of(Postgres::shared().unwrap(), SCHEMA);
    let pool = native.warm().await;
    assert_eq!(new_statement(&pool, &native.proxy).await, 2);
    assert_eq!(transaction(&pool, &native.proxy).await, 8);
    settle(&native.proxy).await;
    let (count, ()) = flights(&native.proxy, warm_up(&pool)).await;
    assert_eq!(count, 2, "a ping and a statement that is known");
}

#[tokio::test]
async fn a_new_statement_is_one() {
    for transport in FERRIED {
        for far in both(SCHEMA) {
            let pool = far.warm(transport).await;
            assert_eq!(new_statement(&pool, &far.proxy).await, 1, "{transport:?}");
        }
    }
}

#[tokio::test]
async fn a_statement_on_a_warm_pool_is_one() {
    for transport in FERRIED {
        for far in both(SCHEMA) {
            let pool = far.warm(transport).await;
            for what in ["known", "again"] {
                let (count, ()) = flights(&far.proxy, warm_up(&pool)).await;
                assert_eq!(count, 1, "{transport:?}, {what}");
                settle(&far.proxy).await;
            }
            let (count, row) = flights(&far.proxy, pool.fetch_one("select name from crews where id = 3")).await;
            assert_eq!(row.unwrap().get::<String, _>(0), "crew 3");
            assert_eq!(count, 1, "{transport:?}, without parameters, as text");
            settle(&far.proxy).await;
            let fresh =
                sqlx::query_scalar::<_, String>("select name from crews where id = $1").bind(4).fetch_one(&pool);
            let (count, name) = flights(&far.proxy, fresh).await;
            assert_eq!((count, name.unwrap()), (1, "crew 4".to_owned()), "{transport:?}, new");
        }
    }
}

#[tokio::test]
async fn a_transaction_of_three_new_statements_is_at_most_five() {
    for far in both(SCHEMA) {
        let pool = far.warm(Transport::WebSocket).await;
        let count = transaction(&pool, &far.proxy).await;
        assert!(count <= 5, "{count}");
    }
}

#[tokio::test]
async fn under_auto_a_second_transaction_opens_nothing() {
    let far = Far::plain(Postgres::shared().unwrap(), SCHEMA);
    let pool = far.warm(Transport::Auto).await;
    transaction(&pool, &far.proxy).await;
    let connections = far.proxy.connections();
    // Every statement is known by now, which makes none of them dearer.
    let count = transaction(&pool, &far.proxy).await;
    assert!(count <= 5, "{count}");
    assert_eq!(far.proxy.connections(), connections);
}

#[tokio::test]
async fn what_else_is_new_is_one() {
    for transport in FERRIED {
        let far = Far::plain(Postgres::shared().unwrap(), SCHEMA);
        let pool = far.warm(transport).await;
        let mut connection = pool.acquire().await.unwrap();
        let connection = &mut *connection;
        let proxy = &far.proxy;

        let wide = (1..=2000).map(|n| format!("${n}::int4")).collect::<Vec<_>>().join(" + ");
        let mut sum = sqlx::query_scalar::<_, i32>(sqlx::AssertSqlSafe(format!("select {wide}")));
        for _ in 0..2000 {
            sum = sum.bind(1_i32);
        }
        let (count, sum) = flights(proxy, sum.fetch_one(&mut *connection)).await;
        assert_eq!((count, sum.unwrap()), (1, 2000), "{transport:?}, many parameters");

        let made = sqlx::query_scalar::<_, i32>("insert into crews (name) values ($1), ($2) returning id");
        let (count, made) = flights(proxy, made.bind("a").bind("b").fetch_all(&mut *connection)).await;
        assert_eq!((count, made.unwrap().len()), (1, 2), "{transport:?}, RETURNING");

        let stream =
            sqlx::query("select n, repeat('x', 100) from generate_series(1, $1) n").bind(2000).fetch(&mut *connection);
        let (count, rows) = flights(proxy, stream.try_fold(0, async |count, _| Ok(count + 1))).await;
        assert_eq!((count, rows.unwrap()), (1, 2000), "{transport:?}, a stream");

        let (count, done) =
            flights(proxy, sqlx::query("delete from crews where id > $1").bind(1000).execute(&mut *connection)).await;
        assert_eq!((count, done.unwrap().rows_affected()), (1, 2), "{transport:?}, rows affected");

        let (count, none) =
            flights(proxy, sqlx::query("select 1 from crews where id = $1").bind(0).fetch_optional(&mut *connection))
                .await;
        assert_eq!((count, none.unwrap().is_none()), (1, true), "{transport:?}, no row");

        let unnamed = sqlx::query_scalar::<_, i32>("select $1 + 1").bind(1_i32).persistent(false);
        let (count, two) = flights(proxy, unnamed.fetch_one(&mut *connection)).await;
        assert_eq!((count, two.unwrap()), (1, 2), "{transport:?}, unnamed");

        let (count, error) = flights(proxy, sqlx::query("select 1 / $1").bind(0_i32).execute(&mut *connection)).await;
        assert_eq!((count, error.is_err()), (1, true), "{transport:?}, a failure");
    }
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Calm,
    Wild,
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "point3")]
struct Point3 {
    x: i32,
    feeling: Mood,
}

const TYPES: &str = "
    create type mood as enum ('calm', 'wild');
    create type point3 as (x int, feeling mood);
    create table people (id int, feeling mood, home point3, places point3[]);
    insert into people values (1, 'wild', (1, 'calm'), array[(2, 'wild')::point3]);
";

#[tokio::test]
async fn types_of_the_database_cost_nothing_once_known() {
    for transport in FERRIED {
        let far = Far::plain(Postgres::shared().unwrap(), &format!("{SCHEMA}{TYPES}"));
        let pool = far.warm(transport).await;
        type Person = (i32, Mood, Point3, Vec<Point3>);
        let first = sqlx::query_as::<_, Person>("select id, feeling, home, places from people").fetch_one(&pool);
        let (_, first) = flights(&far.proxy, first).await;
        assert_eq!(first.unwrap().3, [Point3 { x: 2, feeling: Mood::Wild }]);
        settle(&far.proxy).await;

        let second =
            sqlx::query_as::<_, Person>("select * from people where feeling = $1").bind(Mood::Wild).fetch_one(&pool);
        let (count, second) = flights(&far.proxy, second).await;
        assert_eq!((count, second.unwrap().2), (1, Point3 { x: 1, feeling: Mood::Calm }), "{transport:?}");
        settle(&far.proxy).await;

        let third = sqlx::query_scalar::<_, Vec<Point3>>("update people set home = $1 returning places || $1");
        let (count, third) =
            flights(&far.proxy, third.bind(Point3 { x: 3, feeling: Mood::Calm }).fetch_one(&pool)).await;
        assert_eq!((count, third.unwrap().len()), (1, 2), "{transport:?}");
    }
}

#[tokio::test]
async fn several_connections_wait_beside_each_other() {
    const TASKS: i64 = 8;
    for transport in FERRIED {
        let far = Far::plain(Postgres::shared().unwrap(), MEETING);
        let options = PgPoolOptions::new().max_connections(8).min_connections(8);
        let pool = options.connect_over(far.config(transport)).await.unwrap();
        let round = async || {
            join_all((0..TASKS).map(|task| {
                // None ends before all run at once.
                sqlx::query_scalar::<_, i64>("select meet($1, $2)").bind(task).bind(TASKS).fetch_one(&pool)
            }))
            .await
        };
        flights(&far.proxy, round()).await;
        settle(&far.proxy).await;
        let (count, answers) = flights(&far.proxy, round()).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, (0..TASKS).collect::<Vec<_>>());
        assert!(count <= 8, "{transport:?}: {count}");
    }
}

/// A server that asks for a cleartext password, as those do where pgferry sends it ahead.
fn cleartext() -> Postgres {
    Postgres::builder().hba("host all all 127.0.0.1/32 password").start().unwrap()
}

/// The flights until the first row of a lazy pool, and the row.
async fn cold(far: &Far, config: Config, statement: &'static str) -> usize {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_over(config).unwrap();
    let (count, row) = flights(&far.proxy, sqlx::query(statement).fetch_one(&pool)).await;
    assert_eq!(row.unwrap().get::<i32, _>(0), 1);
    count
}

/// With the opening of the connection: TCP, TLS, upgrade, and all the rest in one.
#[tokio::test]
async fn a_cold_websocket_gives_its_first_row_after_four() {
    let postgres = cleartext();
    for (far, tls) in [(Far::plain(&postgres, ""), 0), (Far::with_tls(&postgres, ""), 1)] {
        let config = far.config(Transport::WebSocket).param("provider", "neon").unwrap();
        assert!(config.pipelines_password());
        assert_eq!(1 + cold(&far, config, "select 1").await, 3 + tls);
    }
}

/// With the opening of the connection: TCP, TLS, request. With TLS comes HTTP/2, whose settings a client acknowledges: that counts as
/// a flight too, though nobody waits for it.
#[tokio::test]
async fn a_cold_http_pool_gives_its_first_row_after_three() {
    for (far, more) in both("").into_iter().zip([0, 2]) {
        assert_eq!(1 + cold(&far, far.config(Transport::Http), "select 1").await, 2 + more);
    }
}

#[tokio::test]
async fn a_cold_http_pool_asks_once_for_the_types_of_the_database() {
    for (far, more) in both(TYPES).into_iter().zip([0, 2]) {
        let count = 1 + cold(&far, far.config(Transport::Http), "select id, feeling, home from people").await;
        assert!(count <= 3 + more, "{count}");
    }
}

#[tokio::test]
async fn another_connection_over_http_opens_nothing() {
    let far = Far::plain(Postgres::shared().unwrap(), TYPES);
    let (options, _guard) = pgferry_sqlx::connect_options(far.config(Transport::Http)).unwrap();
    let mut first = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query("select * from people").execute(&mut first).await.unwrap();
    settle(&far.proxy).await;
    let (count, row) = flights(&far.proxy, async {
        let mut second = PgConnection::connect_with(&options).await.unwrap();
        sqlx::query_as::<_, (i32, Mood)>("select id, feeling from people").fetch_one(&mut second).await
    })
    .await;
    assert_eq!((count, row.unwrap()), (1, (1, Mood::Wild)));
}

fn both(schema: &str) -> [Far; 2] {
    let postgres = Postgres::shared().unwrap();
    [Far::plain(postgres, schema), Far::with_tls(postgres, schema)]
}
