//! What a pool over HTTP costs until its first row, in round trips: one for TLS, beside the TCP connection's own, and one a request.
//!
//! The gateway speaks HTTP/1.1 only, since over HTTP/2 a client also says that it has heard of the server's settings, which nobody waits for.

use std::{sync::Arc, time::Duration};

use pgferry_sqlx::{Config, Transport};
use pgferry_test_support::{Proxy, Stage, TestCa, TestGateway};
use sqlx::Row;

struct Place {
    stage: Stage,
    proxy: Proxy,
    ca: TestCa,
}

impl Place {
    /// A database that a script has prepared, behind a gateway that serves TLS, which is reached through a proxy that counts.
    fn with(script: &str) -> Self {
        let ca = TestCa::new().unwrap();
        let stage = Stage::with(|postgres| {
            let mut tls = ca.server_config(["127.0.0.1"])?;
            Arc::make_mut(&mut tls).alpn_protocols = vec![b"http/1.1".to_vec()];
            TestGateway::with(TestGateway::config(postgres).tls(tls))
        });
        stage.psql(script);
        let proxy = Proxy::start(stage.gateway().address(), Duration::from_millis(40)).unwrap();
        Self { stage, proxy, ca }
    }

    fn config(&self) -> Config {
        let port = self.proxy.address().port();
        let config = self.stage.config().transport(Transport::Http).root_certificates([self.ca.ca_der()]);
        config.http_url(format!("https://127.0.0.1:{port}/sql"))
    }

    /// The flights since the last time; TLS 1.3's handshake is one.
    fn flights(&self, seen: &mut usize) -> usize {
        let all = self.proxy.flights();
        all - std::mem::replace(seen, all)
    }
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Happy,
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "pair")]
struct Pair {
    a: i32,
    mood: Mood,
}

const TYPES: &str = "create type mood as enum ('happy'); create type pair as (a int4, mood mood);
    create table t (m mood, p pair, ps pair[]);
    insert into t values ('happy', (1, 'happy'), array[(2, 'happy')::pair]);
    grant all on t to app";

#[tokio::test]
async fn a_lazy_pools_first_row_takes_one_request() {
    let (place, mut seen) = (Place::with(TYPES), 0);
    let pool = pgferry_sqlx::pool_lazy(place.config()).unwrap();
    assert_eq!(place.flights(&mut seen), 0);
    let sum: i32 = sqlx::query_scalar("select $1 + 1").bind(41).fetch_one(&pool).await.unwrap();
    assert_eq!(sum, 42);
    assert_eq!((place.flights(&mut seen), place.proxy.connections()), (2, 1), "TLS and the request");
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
    assert_eq!(one, 1);
    assert_eq!(place.flights(&mut seen), 1);
    let affected = sqlx::query("update t set m = m").execute(&pool).await.unwrap().rows_affected();
    assert_eq!((affected, place.flights(&mut seen)), (1, 1), "without rows");
    let mood: Mood = sqlx::query_scalar("select m from t").fetch_one(&pool).await.unwrap();
    assert_eq!((mood, place.flights(&mut seen)), (Mood::Happy, 2), "the types are asked for once");
    let pair: Pair = sqlx::query_scalar("select p from t").fetch_one(&pool).await.unwrap();
    assert_eq!((pair, place.flights(&mut seen)), (Pair { a: 1, mood: Mood::Happy }, 1));
}

#[tokio::test]
async fn a_lazy_pools_first_row_of_a_table_takes_two() {
    let (place, mut seen) = (Place::with(TYPES), 0);
    let pool = pgferry_sqlx::pool_lazy(place.config()).unwrap();
    let mood: Mood = sqlx::query_scalar("select m from t").fetch_one(&pool).await.unwrap();
    assert_eq!(mood, Mood::Happy);
    assert_eq!((place.flights(&mut seen), place.proxy.connections()), (3, 1), "TLS, settings and types, the statement");
    let row = sqlx::query("select m, 1 as a from t").fetch_one(&pool).await.unwrap();
    assert_eq!((row.get::<Mood, _>(0), row.get::<i32, _>(1)), (Mood::Happy, 1));
    assert_eq!(place.flights(&mut seen), 1);
}

#[tokio::test]
async fn a_verified_pool_has_asked_everything_when_it_is_open() {
    let (place, mut seen) = (Place::with(TYPES), 0);
    let pool = pgferry_sqlx::pool(place.config()).await.unwrap();
    assert_eq!((place.flights(&mut seen), place.proxy.connections()), (2, 1));
    let mood: Mood = sqlx::query_scalar("select m from t").fetch_one(&pool).await.unwrap();
    assert_eq!((mood, place.flights(&mut seen)), (Mood::Happy, 1));
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
    assert_eq!((one, place.flights(&mut seen)), (1, 1));
}

#[tokio::test]
async fn composites_are_right_on_a_fresh_connection() {
    let place = Place::with(TYPES);
    for text in ["select ps from t", "select array_agg(p) from t"] {
        let pool = pgferry_sqlx::pool_lazy(place.config()).unwrap();
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
        assert_eq!(one, 1);
        let pairs: Vec<Pair> = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
        assert_eq!(pairs.len(), 1, "{text}");
    }
}

#[tokio::test]
async fn a_servers_own_settings_do_not_show_in_the_first_row() {
    let place = Place::with("");
    let role = format!("odd_{}", place.stage.database());
    place.stage.psql(&format!(
        "create role {role} login password 'pw-of-it'; alter role {role} set datestyle = 'German'; \
         alter role {role} set timezone = 'Asia/Kathmandu'; alter role {role} set bytea_output = 'escape'; \
         alter role {role} set intervalstyle = 'iso_8601'; alter role {role} set standard_conforming_strings = off"
    ));
    let config = place.config().user(&role).password("pw-of-it");
    let first = |text: &'static str| {
        let pool = pgferry_sqlx::pool_lazy(config.clone()).unwrap();
        async move { sqlx::query(text).fetch_one(&pool).await.unwrap_or_else(|error| panic!("{text}: {error}")) }
    };
    let same: bool = first("select '2020-01-02 03:04:05+00'::timestamptz = '2020-01-02 03:04:05'").await.get(0);
    assert!(same, "a time without a zone is UTC's");
    let date: String = first("select '2020-02-01'::date || ''").await.get(0);
    assert_eq!(date, "2020-02-01");
    let bytes: Vec<u8> = first("select 'a'::bytea").await.get(0);
    assert_eq!(bytes, b"a");
    let zone: String = first("show timezone").await.get(0);
    assert_eq!(zone, "UTC");
    let backslash: String = first("select 'a\\\\b'").await.get(0);
    assert_eq!(backslash, "a\\b", "its strings are read as the server reads them");
}

#[tokio::test]
async fn a_first_statement_that_fails_has_its_own_error() {
    let place = Place::with("");
    let pool = pgferry_sqlx::pool_lazy(place.config()).unwrap();
    let error = sqlx::query("select 1, 1 / 0").fetch_one(&pool).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("22012"), "{error}");
    let error = sqlx::query("select 1, 'x'::int4").fetch_one(&pool).await.unwrap_err();
    let error = error.into_database_error().unwrap();
    let error = error.downcast_ref::<sqlx::postgres::PgDatabaseError>();
    assert_eq!((error.code(), error.position()), ("22P02", Some(sqlx::postgres::PgErrorPosition::Original(11))));
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
    assert_eq!(one, 1);
}

#[tokio::test]
async fn a_wrong_password_is_told_by_the_first_statement() {
    let place = Place::with("");
    let pool = pgferry_sqlx::pool_lazy(place.config().password("wrong")).unwrap();
    let error = sqlx::query("select 1").fetch_one(&pool).await.unwrap_err();
    assert!(error.to_string().contains("password"), "{error}");
    let opened = pgferry_sqlx::pool(place.config().password("wrong")).await.map(drop).unwrap_err();
    assert!(opened.to_string().contains("password"), "{opened}");
}
