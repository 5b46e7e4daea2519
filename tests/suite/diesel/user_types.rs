//! A type of the database's own: looked up by name over WebSocket, refused by name over HTTP.

use std::io::Write;

use diesel::{
    connection::SimpleConnection,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    prelude::*,
    query_builder::QueryId,
    result::{DatabaseErrorKind, Error},
    serialize::{self, IsNull, Output, ToSql},
    sql_query,
    sql_types::{Array, SqlType},
};
use pgferry_diesel::FerryConnection;

use super::Place;

super::on_each_transport!(an_enum_is_looked_up, a_type_that_does_not_exist_is_an_error);

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "mood"))]
pub struct MoodType;

#[derive(AsExpression, Clone, Copy, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = MoodType)]
enum Mood {
    Glad,
    Sad,
}

impl ToSql<MoodType, Pg> for Mood {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(match self {
            Self::Glad => b"glad",
            Self::Sad => b"sad",
        })?;
        Ok(IsNull::No)
    }
}

impl FromSql<MoodType, Pg> for Mood {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"glad" => Ok(Self::Glad),
            b"sad" => Ok(Self::Sad),
            other => Err(format!("no mood: {other:?}").into()),
        }
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::MoodType;

    days (id) {
        id -> Integer,
        mood -> MoodType,
        moods -> Array<MoodType>,
    }
}

fn days(place: &Place) -> FerryConnection {
    let mut connection = place.connect();
    let script = "create type mood as enum ('sad', 'glad'); create table days (id int4 primary key, mood mood not null, moods mood[] not null)";
    connection.batch_execute(script).unwrap();
    connection
}

fn an_enum_is_looked_up(place: &Place) {
    let connection = &mut days(place);
    let row = (days::id.eq(1), days::mood.eq(Mood::Glad), days::moods.eq(vec![Mood::Sad, Mood::Glad]));
    let inserted = diesel::insert_into(days::table).values(row).execute(connection);
    assert_eq!(inserted, Ok(1));
    let read = days::table.filter(days::mood.eq(Mood::Glad)).load::<(i32, Mood, Vec<Mood>)>(connection);
    assert_eq!(read, Ok(vec![(1, Mood::Glad, vec![Mood::Sad, Mood::Glad])]));
    let any = days::table.filter(days::mood.eq_any([Mood::Sad])).count().get_result::<i64>(connection);
    assert_eq!(any, Ok(0));
}

fn a_type_that_does_not_exist_is_an_error(place: &Place) {
    let connection = &mut place.connect();
    let error = diesel::select(Mood::Sad.into_sql::<MoodType>()).get_result::<Mood>(connection).unwrap_err();
    assert!(matches!(error, Error::SerializationError(_)) && error.to_string().contains("mood"), "{error:?}");
    let error = diesel::select(Vec::<Mood>::new().into_sql::<Array<MoodType>>()).execute(connection).unwrap_err();
    assert!(!matches!(error, Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)), "{error:?}");
    assert_eq!(sql_query("select 1").execute(connection), Ok(1));
}
