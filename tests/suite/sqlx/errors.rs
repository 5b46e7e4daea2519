use pgferry_sqlx::{Config, Transport};
use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgDatabaseError, PgErrorPosition},
};

use super::Road;
use pgferry_test_support::Stage;

/// What of an error a program may look at.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    code: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    constraint: Option<String>,
    table: Option<String>,
    position: Option<usize>,
}

async fn failure(pool: &PgPool, statement: &'static str, parameter: Option<i32>) -> Seen {
    let query = match parameter {
        None => sqlx::query(statement),
        Some(value) => sqlx::query(statement).bind(value),
    };
    let error = query.execute(pool).await.unwrap_err();
    let error = error.as_database_error().unwrap_or_else(|| panic!("{error}")).downcast_ref::<PgDatabaseError>();
    Seen {
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        hint: error.hint().map(str::to_owned),
        constraint: error.constraint().map(str::to_owned),
        table: error.table().map(str::to_owned),
        position: match error.position() {
            Some(PgErrorPosition::Original(position)) => Some(position),
            _ => None,
        },
    }
}

#[tokio::test]
async fn an_error_is_the_same_on_every_road_and_the_connection_goes_on() {
    let stage = Stage::start();
    let control = Road::Tcp.pool(&stage).await;
    sqlx::raw_sql("create table things (id int primary key, amount int constraint positive check (amount > 0)); insert into things values (1, 1)")
        .execute(&control)
        .await
        .unwrap();
    let failing = [
        ("insert into things values ($1, 1)", Some(1)),
        ("insert into things values (2, $1)", Some(-1)),
        ("select * from nowhere", None),
        ("selec 1", None),
        ("select 1 + nonsense where $1 = 1", Some(1)),
        ("select lower($1)", Some(1)),
        ("select 'é', nonsense, $1", Some(1)),
        ("select 1/0", None),
    ];
    for (statement, parameter) in failing {
        let expected = failure(&control, statement, parameter).await;
        for road in Road::FERRIED {
            let pool = road.pool(&stage).await;
            assert_eq!(failure(&pool, statement, parameter).await, expected, "{road:?}: {statement}");
            let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
            assert_eq!(one, 1, "{road:?} after {statement}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_reported_by_an_eager_pool_and_by_the_first_statement_of_a_lazy_one() {
    let stage = Stage::start();
    let options: PgConnectOptions = stage.postgres_url().parse().unwrap();
    let expect_refused = |road: Road, error: sqlx::Error| {
        let error = error.into_database_error().unwrap();
        assert!(error.message().contains("password authentication failed"), "{road:?}: {error}");
        assert_eq!(error.code().as_deref(), Some("28P01"), "{road:?}: {error}");
    };
    expect_refused(Road::Tcp, PgConnection::connect_with(&options.password("not the password")).await.unwrap_err());
    for road in Road::FERRIED {
        let wrong = road.config(&stage).password("not the password");
        expect_refused(road, pgferry_sqlx::pool(&wrong).await.unwrap_err());

        let lazy = pgferry_sqlx::pool_lazy(&wrong).unwrap();
        expect_refused(road, sqlx::query("select 1").execute(&lazy).await.unwrap_err());
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_reported() {
    let stage = Stage::start();
    for road in Road::FERRIED {
        // Bound and closed again: nobody listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let nowhere = road
            .config(&stage)
            .http_url(format!("http://127.0.0.1:{port}/sql"))
            .ws_url(format!("ws://127.0.0.1:{port}/v2"));
        let error = pgferry_sqlx::pool(&nowhere).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("08001"), "{road:?}: {error}");
    }
}

#[tokio::test]
async fn places_in_a_script_are_right_or_left_out() {
    let stage = Stage::start();
    let pool = Road::Http.pool(&stage).await;
    for (script, place) in [
        ("  select nonsense", Some(10)),
        ("select 1; selec 2", Some(11)),
        ("/* é */ select nonsense;", Some(16)),
        // It can be of either.
        ("select nonsense; select nonsense", None),
    ] {
        let error = pool.execute(script).await.unwrap_err();
        let position = error.as_database_error().unwrap().downcast_ref::<PgDatabaseError>().position();
        assert_eq!(position, place.map(PgErrorPosition::Original), "{script}");
    }
}

#[tokio::test]
async fn a_statement_that_raises_0a000_itself_runs_once() {
    let stage = Stage::start();
    let control = Road::Tcp.pool(&stage).await;
    control
        .execute(
            "create sequence runs; create function refuse(int) returns int language plpgsql as
             $$ begin perform nextval('runs'); raise exception 'mine' using errcode = '0A000'; end $$",
        )
        .await
        .unwrap();
    for (road, runs) in [(Road::Http, 1_i64), (Road::WebSocket, 2)] {
        let pool = road.pool(&stage).await;
        let error = sqlx::query("select refuse($1)").bind(1).execute(&pool).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().message(), "mine", "{road:?}");
        let last: i64 = sqlx::query_scalar("select last_value from runs").fetch_one(&control).await.unwrap();
        assert_eq!(last, runs, "{road:?}");
    }
}

#[tokio::test]
async fn a_connect_that_nobody_answers_ends_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let url = format!(
        "postgresql://app:x@127.0.0.1:{}/app?http_url=http://{address}/sql&ws_url=ws://{address}/v2",
        address.port()
    );
    for transport in [Transport::Http, Transport::WebSocket] {
        let config =
            url.parse::<Config>().unwrap().transport(transport).connect_timeout(std::time::Duration::from_millis(200));
        let error = pgferry_sqlx::pool(&config).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("08001"), "{transport}: {error}");
    }
}
