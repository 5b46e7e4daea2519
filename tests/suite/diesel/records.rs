//! Composite types, row types and records without a name.

use diesel::{
    connection::SimpleConnection,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    prelude::*,
    query_builder::QueryId,
    serialize::{self, Output, ToSql, WriteTuple},
    sql_query,
    sql_types::{Array, Integer, Nullable, Record, SqlType, Text},
};
use pgferry_diesel::Transport;

use super::{
    Place, Road,
    one::One,
    user_types::{MOOD, Mood, MoodType},
};

super::on_each_road!(composites_nest, rows_of_tables_are_read, records_are_written_by_their_parts);

mod without_a_name {
    use super::records_without_a_name;

    super::super::on_each_transport!(records_without_a_name);
}

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "thing"))]
pub struct ThingType;

type ThingParts = (Text, Nullable<Integer>, Array<Nullable<MoodType>>);

#[derive(AsExpression, Clone, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = ThingType)]
struct Thing {
    name: String,
    size: Option<i32>,
    moods: Vec<Option<Mood>>,
}

impl ToSql<ThingType, Pg> for Thing {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        WriteTuple::<ThingParts>::write_tuple(&(&self.name, self.size, &self.moods), &mut out.reborrow())
    }
}

impl FromSql<ThingType, Pg> for Thing {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (name, size, moods) = FromSql::<Record<ThingParts>, Pg>::from_sql(value)?;
        Ok(Self { name, size, moods })
    }
}

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "crate"))]
pub struct CrateType;

type CrateParts = (Integer, Nullable<ThingType>, Array<ThingType>);

#[derive(AsExpression, Clone, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = CrateType)]
struct Crate {
    number: i32,
    first: Option<Thing>,
    things: Vec<Thing>,
}

impl ToSql<CrateType, Pg> for Crate {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        WriteTuple::<CrateParts>::write_tuple(&(self.number, self.first.clone(), &self.things), &mut out.reborrow())
    }
}

impl FromSql<CrateType, Pg> for Crate {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (number, first, things) = FromSql::<Record<CrateParts>, Pg>::from_sql(value)?;
        Ok(Self { number, first, things })
    }
}

fn crates<R: Road>(road: &R) -> R::Connection {
    let mut connection = road.connect();
    connection.batch_execute(MOOD).unwrap();
    connection
        .batch_execute(
            "create type thing as (name text, size int4, moods mood[]); create type crate as (number int4, first thing, things thing[]); \
             create table crates (id int4 primary key, content crate, dropped int4, label text); alter table crates drop column dropped",
        )
        .unwrap();
    connection
}

fn full() -> Crate {
    let thing = Thing {
        name: "a (\"good\"), \\one\\, {NULL}".to_owned(),
        size: None,
        moods: vec![Some(Mood::Sad), None, Some(Mood::Glad)],
    };
    let empty = Thing { name: String::new(), size: Some(-1), moods: vec![] };
    Crate { number: 7, first: Some(empty.clone()), things: vec![thing, empty] }
}

fn composites_nest<R: Road>(road: &R) {
    let connection = &mut crates(road);
    let insert = "insert into crates values ($1, $2, $3)";
    for (id, content) in [(1, Some(full())), (2, None), (3, Some(Crate { number: 0, first: None, things: vec![] }))] {
        let written = sql_query(insert)
            .bind::<Integer, _>(id)
            .bind::<Nullable<CrateType>, _>(&content)
            .bind::<Text, _>("written")
            .execute(connection);
        assert_eq!(written, Ok(1));
        let read = sql_query("select content as value from crates where id = $1").bind::<Integer, _>(id);
        assert_eq!(One::<Nullable<CrateType>, _>::of(read, &mut road.connect()), Ok(content));
    }
    let echoed = diesel::select(vec![full(), full()].into_sql::<Array<CrateType>>()).get_result(connection);
    assert_eq!(echoed, Ok(vec![full(), full()]));
    // The server takes it apart as it was put together.
    let name = sql_query("select ((($1).things)[1]).name || ((($1).things)[1]).moods::text as value")
        .bind::<CrateType, _>(full());
    let expected = "a (\"good\"), \\one\\, {NULL}{\"sad, \\\"very\\\"\",NULL,glad}";
    assert_eq!(One::<Text, String>::of(name, connection).as_deref(), Ok(expected));
}

fn rows_of_tables_are_read<R: Road>(road: &R) {
    let connection = &mut crates(road);
    let query = "insert into crates values (1, $1, 'a \"label\"')";
    sql_query(query).bind::<CrateType, _>(full()).execute(connection).unwrap();
    type Row = Record<(Integer, CrateType, Text)>;
    let row = (1, full(), "a \"label\"".to_owned());
    let read = One::<Row, _>::of(sql_query("select crates as value from crates"), connection);
    assert_eq!(read.as_ref(), Ok(&row));
    let rows = One::<Array<Row>, Vec<_>>::of(sql_query("select array_agg(crates) as value from crates"), connection);
    assert_eq!(rows, Ok(vec![row]));
}

fn records_are_written_by_their_parts<R: Road>(road: &R) {
    let connection = &mut road.connect();
    let one = (1, "one").into_sql::<Record<(Integer, Text)>>();
    let two = (1, "two").into_sql::<Record<(Integer, Text)>>();
    assert_eq!(diesel::select(one.eq(two)).get_result(connection), Ok(false));
    assert_eq!(diesel::select(one.eq(one)).get_result(connection), Ok(true));
}

/// Over HTTP nothing tells what such a record's parts are.
fn records_without_a_name(place: &Place) {
    let connection = &mut place.connect();
    let query = "select (1, 'one'::text) as value";
    let read = One::<Record<(Integer, Text)>, (i32, String)>::of(sql_query(query), connection);
    if place.transport() != Transport::Http {
        assert_eq!(read, Ok((1, "one".to_owned())));
        return;
    }
    let error = read.unwrap_err().to_string();
    assert!(error.contains("\"value\"") && error.contains("cast") && error.contains("websocket"), "{error}");
}
