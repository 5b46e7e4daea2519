//! Types of the user's own, as parameters and as results.

use std::ops::Bound;

use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::types::{PgCube, PgHstore, PgLTree, PgRange},
};

use super::Road;
use pgferry_test_support::Stage;

const TYPES: &str = r#"
    create type mood as enum ('calm', 'Quite "wild"', 'a,b');
    create type place as (x int, "Y y" float8, feeling mood, note text);
    create type trip as (first place, stops place[], title text);
    create domain positive as int check (value > 0);
    create type span as range (subtype = int8);
    create schema shop;
    create type shop."My Type" as enum ('One', 'two');
    create table people (id int, name text, feeling mood, home place);
    insert into people values (1, 'Ann', 'calm', '(1,2.5,"a,b","q""q")'), (2, null, null, null);
"#;

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood")]
enum Mood {
    #[sqlx(rename = "calm")]
    Calm,
    #[sqlx(rename = "Quite \"wild\"")]
    Wild,
    #[sqlx(rename = "a,b")]
    Both,
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "place")]
struct Place {
    x: Option<i32>,
    y: Option<f64>,
    feeling: Option<Mood>,
    note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "trip")]
struct Trip {
    first: Option<Place>,
    stops: Vec<Place>,
    title: Option<String>,
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "people")]
struct Person {
    id: i32,
    name: Option<String>,
    feeling: Option<Mood>,
    home: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "shop.\"My Type\"")]
enum Quoted {
    One,
    #[sqlx(rename = "two")]
    Two,
}

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(transparent)]
struct Id(i32);

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "positive")]
struct Positive(i32);

fn place() -> Place {
    Place { x: Some(-1), y: Some(0.1), feeling: Some(Mood::Both), note: Some("a \"b\\ (c),{d}\n".into()) }
}

fn empty() -> Place {
    Place { x: None, y: None, feeling: None, note: None }
}

/// Sends a value on a connection that has met nothing before, and expects it back.
async fn round_trip<T>(pool: &PgPool, road: Road, value: T)
where
    T: sqlx::Type<sqlx::Postgres> + PartialEq + std::fmt::Debug + Clone + Send + Sync + Unpin + 'static,
    T: for<'a> sqlx::Encode<'a, sqlx::Postgres> + for<'a> sqlx::Decode<'a, sqlx::Postgres>,
{
    let mut fresh = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    for _ in 0..2 {
        let query = sqlx::query_scalar("select $1").persistent(false);
        let back: T =
            query.bind(value.clone()).fetch_one(&mut fresh).await.unwrap_or_else(|error| panic!("{road:?}: {error}"));
        assert_eq!(back, value, "{road:?}");
    }
}

async fn made() -> Stage {
    let stage = Stage::start();
    Road::Tcp.pool(&stage).await.execute(TYPES).await.unwrap();
    stage
}

#[tokio::test]
async fn parameters_of_own_types_come_back_as_they_were_sent() {
    let stage = made().await;
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        for mood in [Mood::Calm, Mood::Wild, Mood::Both] {
            round_trip(pool, road, mood).await;
        }
        round_trip(pool, road, None::<Mood>).await;
        round_trip(pool, road, vec![Some(Mood::Wild), None]).await;
        round_trip(pool, road, Vec::<Mood>::new()).await;
        round_trip(pool, road, place()).await;
        round_trip(pool, road, empty()).await;
        round_trip(pool, road, vec![place(), empty()]).await;
        let trip = Trip { first: Some(place()), stops: vec![empty(), place()], title: None };
        round_trip(pool, road, trip).await;
        round_trip(pool, road, Trip { first: None, stops: vec![], title: Some(String::new()) }).await;
        round_trip(pool, road, Quoted::One).await;
        round_trip(pool, road, Quoted::Two).await;
        round_trip(pool, road, Id(7)).await;
        let person = Person { id: 1, name: None, feeling: Some(Mood::Calm), home: Some(place()) };
        round_trip(pool, road, person).await;
        round_trip(pool, road, PgRange { start: Bound::Included(1), end: Bound::Excluded(5) }).await;
    }
}

#[tokio::test]
async fn results_of_own_types_are_read_on_a_fresh_connection() {
    let stage = made().await;
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        let fresh = async || PgConnection::connect_with(&pool.connect_options()).await.unwrap();
        let home: Vec<Option<Place>> =
            sqlx::query_scalar("select home from people order by id").fetch_all(&mut fresh().await).await.unwrap();
        let ann = Place { x: Some(1), y: Some(2.5), feeling: Some(Mood::Both), note: Some("q\"q".into()) };
        assert_eq!(home, [Some(ann.clone()), None], "{road:?}");
        let feelings: Vec<Option<Mood>> = sqlx::query_scalar("select array_agg(feeling order by id) from people")
            .fetch_one(&mut fresh().await)
            .await
            .unwrap();
        assert_eq!(feelings, [Some(Mood::Calm), None], "{road:?}");
        let rows: Vec<Person> =
            sqlx::query_scalar("select p from people as p order by id").fetch_all(&mut fresh().await).await.unwrap();
        assert_eq!(
            rows[0],
            Person { id: 1, name: Some("Ann".into()), feeling: Some(Mood::Calm), home: Some(ann) },
            "{road:?}"
        );
        assert_eq!(rows[1], Person { id: 2, name: None, feeling: None, home: None }, "{road:?}");
        let span: PgRange<i64> = sqlx::query_scalar("select span(1, 5)").fetch_one(&mut fresh().await).await.unwrap();
        assert_eq!(span, PgRange { start: Bound::Included(1), end: Bound::Excluded(5) }, "{road:?}");
        // Postgres describes a column of a domain as one of its base type.
        let positive: i32 = sqlx::query_scalar("select 5::positive").fetch_one(&mut fresh().await).await.unwrap();
        assert_eq!(positive, 5, "{road:?}");
        let several: Vec<Option<Positive>> =
            sqlx::query_scalar("select array[5, null]::positive[]").fetch_one(&mut fresh().await).await.unwrap();
        assert_eq!(several, [Some(Positive(5)), None], "{road:?}");
        let quoted: Quoted =
            sqlx::query_scalar("select 'two'::shop.\"My Type\"").fetch_one(&mut fresh().await).await.unwrap();
        assert_eq!(quoted, Quoted::Two, "{road:?}");
    }
}

#[tokio::test]
async fn types_of_extensions_are_carried() {
    let stage = made().await;
    stage.psql("create extension hstore; create extension citext; create extension ltree; create extension cube");
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        let mut pairs = PgHstore::default();
        pairs.insert("a \"q\"".into(), Some("b, =>".into()));
        pairs.insert("none".into(), None);
        round_trip(pool, road, pairs).await;
        round_trip(pool, road, "top.science.stars".parse::<PgLTree>().unwrap()).await;
        round_trip(pool, road, PgCube::MultiDimension(vec![vec![1.0, 2.0], vec![3.0, 4.5]])).await;
        let text: String = sqlx::query_scalar("select 'MiXed'::citext").fetch_one(pool).await.unwrap();
        assert_eq!(text, "MiXed", "{road:?}");
        let texts: Vec<String> = sqlx::query_scalar("select array['a', 'B']::citext[]").fetch_one(pool).await.unwrap();
        assert_eq!(texts, ["a", "B"], "{road:?}");
    }
}

#[tokio::test]
async fn a_type_made_on_an_open_connection_is_read_there() {
    #[derive(Debug, PartialEq, sqlx::Type)]
    #[sqlx(type_name = "late")]
    struct Late {
        a: i32,
        b: Option<Mood>,
    }

    let stage = made().await;
    for road in Road::ALL {
        let mut connection = road.pool(&stage).await.acquire().await.unwrap().detach();
        connection.execute("select 1").await.unwrap();
        sqlx::query("select 1 as warm").execute(&mut connection).await.unwrap();
        connection.execute("drop type if exists late; create type late as (a int, b mood)").await.unwrap();
        let late: Late = sqlx::query_scalar("select row(1, 'calm')::late").fetch_one(&mut connection).await.unwrap();
        assert_eq!(late, Late { a: 1, b: Some(Mood::Calm) }, "{road:?}");
    }
}
