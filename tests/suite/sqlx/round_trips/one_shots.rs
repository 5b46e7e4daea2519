//! Under Auto, what needs no session costs what it costs over HTTP.

use pgferry_sqlx::{PgPoolOptionsExt, Transport};
use pgferry_test_support::Postgres;
use sqlx::{Connection, Executor, PgConnection, postgres::PgPoolOptions};

use super::{Far, Mood, Point3, SCHEMA, TYPES, flights, settle};

/// What a piece of work cost: flights, and connections opened.
type Cost = (&'static str, usize, usize);

/// Counts work by name, one piece after the other.
struct Counter<'a> {
    far: &'a Far,
    costs: Vec<Cost>,
}

impl Counter<'_> {
    async fn count<T>(&mut self, what: &'static str, work: impl Future<Output = sqlx::Result<T>>) -> T {
        settle(&self.far.proxy).await;
        let connections = self.far.proxy.connections();
        let (count, done) = flights(&self.far.proxy, work).await;
        self.costs.push((what, count, self.far.proxy.connections() - connections));
        done.unwrap_or_else(|error| panic!("{what}: {error}"))
    }
}

async fn on_a_lazy_pool(far: &Far, transport: Transport) -> Vec<Cost> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_over(far.config(transport)).unwrap();
    let mut counter = Counter { far, costs: Vec::new() };
    let one: i32 = counter.count("cold", sqlx::query_scalar("select 1").fetch_one(&pool)).await;
    assert_eq!(one, 1);
    let named = sqlx::query_scalar::<_, String>("select name from crews where id = $1").bind(3);
    assert_eq!(counter.count("with a parameter", named.fetch_one(&pool)).await, "crew 3");
    let again = sqlx::query_scalar::<_, String>("select name from crews where id = $1").bind(4);
    assert_eq!(counter.count("again", again.fetch_one(&pool)).await, "crew 4");
    counter.count("without parameters", sqlx::query("select name from crews where id = 5").fetch_one(&pool)).await;
    counter.count("as text", pool.fetch_one("select name from crews where id = 6")).await;
    counter.count("insert", sqlx::query("insert into crews (name) values ($1)").bind("new").execute(&pool)).await;
    counter
        .count("insert without parameters", sqlx::query("insert into crews (name) values ('b')").execute(&pool))
        .await;
    let added = sqlx::query_scalar::<_, i32>("insert into crews (name) values ($1) returning id").bind("newer");
    counter.count("insert and return", added.fetch_one(&pool)).await;
    counter.count("a script", pool.execute("select 1; select 2")).await;
    counter.costs
}

async fn on_further_connections(far: &Far, transport: Transport) -> Vec<Cost> {
    let (options, _guard) = pgferry_sqlx::connect_options(far.config(transport)).unwrap();
    let mut counter = Counter { far, costs: Vec::new() };
    let people = "select id, feeling, home from people where feeling = $1";
    for what in ["the first connection", "the second connection", "the third connection"] {
        let work = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let people = sqlx::query_as::<_, (i32, Mood, Point3)>(people).bind(Mood::Wild).fetch_one(&mut connection);
            people.await.map(|person| (person, connection))
        };
        let (person, mut connection) = counter.count(what, work).await;
        assert_eq!(person, (1, Mood::Wild, Point3 { x: 1, feeling: Mood::Calm }));
        let places = sqlx::query_scalar::<_, Vec<Point3>>("select places from people").fetch_one(&mut connection);
        counter.count("another statement on it", places).await;
    }
    counter.costs
}

#[tokio::test]
async fn over_auto_they_cost_what_they_cost_over_http() {
    let postgres = Postgres::shared().unwrap();
    let schema = format!("{SCHEMA}{TYPES}");
    let far = || Far::plain(postgres, &schema);
    let http = on_a_lazy_pool(&far(), Transport::Http).await;
    assert_eq!(on_a_lazy_pool(&far(), Transport::Auto).await, http);
    assert_eq!(http[0], ("cold", 1, 1));
    let http = on_further_connections(&far(), Transport::Http).await;
    assert_eq!(on_further_connections(&far(), Transport::Auto).await, http);
    assert!(http[1..].iter().all(|(_, flights, opened)| (*flights, *opened) == (1, 0)), "{http:?}");
}
