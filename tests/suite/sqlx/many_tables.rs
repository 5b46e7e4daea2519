//! Row types of tables, of which a database may have more than a connection is told of.

use pgferry_sqlx::PgPoolOptionsExt;
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::Road;
use pgferry_test_support::Stage;

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "person")]
struct Person {
    id: Option<i32>,
    name: Option<String>,
}

fn ann() -> Person {
    Person { id: Some(1), name: Some("Ann".to_owned()) }
}

/// What needs no name of the table, and what does.
const TEXTS: [&str; 7] = [
    "select p from person p where id = 1",
    "select person from person",
    "SELECT P FROM public.person P",
    "select get_person(1)",
    "select whole from pv",
    "select p from people() p",
    "update person set id = id returning person",
];

const MADE: &str = "create table person (id int, name text); insert into person values (1, 'Ann');
    create view pv as select p as whole from person p;
    create function get_person(i int) returns person stable language sql as 'select * from person where id = i';
    create function people() returns setof person stable language sql as 'select * from person';
    create type mood as enum ('calm');
    grant all on all tables in schema public to public;";

/// A pool whose connections have met nothing.
async fn pool(road: Road, stage: &Stage) -> PgPool {
    let options = PgPoolOptions::new().max_connections(1);
    match road {
        Road::Tcp => options.connect(&stage.postgres_url()).await.unwrap(),
        _ => options.connect_over(road.config(stage)).await.unwrap(),
    }
}

async fn rows_are_read_at_their_first_use(others: usize) {
    let stage = Stage::start();
    stage.psql(MADE);
    stage.psql(&format!(
        "do $$ begin for i in 1..{others} loop execute 'create table filler' || i || ' (a int, b text)'; end loop; end $$"
    ));
    for road in Road::ALL {
        for text in TEXTS {
            let pool = pool(road, &stage).await;
            let row: Person = sqlx::query_scalar(text)
                .fetch_one(&pool)
                .await
                .unwrap_or_else(|error| panic!("{road:?}, {others} other tables: {text}: {error}"));
            assert_eq!(row, ann(), "{road:?}, {others} other tables: {text}");
        }
        let pool = pool(road, &stage).await;
        // The connection has been told of other types by then.
        sqlx::query("select 'calm'::mood").execute(&pool).await.unwrap();
        let rows: Vec<Person> =
            sqlx::query_scalar("select array_agg(person) from person").fetch_one(&pool).await.unwrap();
        assert_eq!(rows, [ann()], "{road:?}, {others} other tables");
        let row: Person = sqlx::query_scalar("select $1").bind(ann()).fetch_one(&pool).await.unwrap();
        assert_eq!(row, ann(), "{road:?}, {others} other tables");
    }
}

#[tokio::test]
async fn rows_of_tables_are_read_at_their_first_use_where_there_are_few() {
    rows_are_read_at_their_first_use(60).await;
}

#[tokio::test]
async fn rows_of_tables_are_read_at_their_first_use_where_there_are_many() {
    rows_are_read_at_their_first_use(130).await;
}

#[tokio::test]
async fn rows_of_tables_are_read_at_their_first_use_where_not_all_can_be_known() {
    rows_are_read_at_their_first_use(560).await;
}
