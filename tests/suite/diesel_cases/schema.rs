//! What the cases work on.

use std::io::Write;

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    prelude::*,
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql, WriteTuple},
    sql_types::{Integer, Record, SqlType, Text},
};

/// Makes what each case begins with.
pub(super) const SCRIPT: &str = "
    create table authors (
        id serial primary key,
        name text not null constraint author_names unique,
        born integer constraint born_late check (born < 2100)
    );
    create table books (
        id serial primary key,
        author_id integer not null references authors,
        title text not null,
        pages integer default 100,
        tags text[] not null default '{}',
        facts jsonb
    );
    create table prizes (
        book_id integer not null references books deferrable initially deferred,
        year integer not null,
        primary key (book_id, year)
    );
    create table doubled (id integer primary key, half integer not null, whole integer generated always as (half * 2) stored);
    insert into authors (name, born) values ('Ada', 1815), ('Boole', 1815), ('Curie', 1867), ('Dirac', null);
    insert into books (author_id, title, pages, tags, facts) values
        (1, 'Notes', 66, '{maths,engines}', '{\"year\": 1843, \"by\": {\"hand\": true}}'),
        (2, 'Laws', 424, '{logic}', null),
        (2, 'Signs', 80, '{}', '[1, 2, null]'),
        (3, 'Rays', null, '{physics,\"a, b\"}', '\"text\"');
    insert into prizes values (4, 1903), (4, 1911), (1, 1843);
    create type mood as enum ('sad', 'very \"glad\"');
    create domain positive as integer constraint above_zero check (value > 0);
    create type place as (x integer, label text);
";

diesel::table! {
    authors (id) {
        id -> Integer,
        name -> Text,
        born -> Nullable<Integer>,
    }
}

diesel::table! {
    books (id) {
        id -> Integer,
        author_id -> Integer,
        title -> Text,
        pages -> Nullable<Integer>,
        tags -> Array<Text>,
        facts -> Nullable<Jsonb>,
    }
}

diesel::table! {
    prizes (book_id, year) {
        book_id -> Integer,
        year -> Integer,
    }
}

diesel::table! {
    doubled (id) {
        id -> Integer,
        half -> Integer,
        whole -> Integer,
    }
}

diesel::table! {
    missing (id) {
        id -> Integer,
    }
}

diesel::joinable!(books -> authors (author_id));
diesel::joinable!(prizes -> books (book_id));
diesel::allow_tables_to_appear_in_same_query!(authors, books, prizes);

#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = authors, check_for_backend(Pg))]
pub(super) struct Author {
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) born: Option<i32>,
}

#[derive(Associations, Clone, Debug, Identifiable, Queryable, Selectable)]
#[diesel(table_name = books, belongs_to(Author), check_for_backend(Pg))]
#[expect(dead_code, reason = "its fields are shown")]
pub(super) struct Book {
    pub(super) id: i32,
    pub(super) author_id: i32,
    pub(super) title: String,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = authors)]
pub(super) struct NewAuthor<'a> {
    pub(super) name: &'a str,
    pub(super) born: Option<i32>,
}

#[derive(AsChangeset, Clone, Copy, Debug, Identifiable)]
#[diesel(table_name = authors)]
pub(super) struct Change<'a> {
    pub(super) id: i32,
    pub(super) name: &'a str,
    pub(super) born: Option<i32>,
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn upper(text: Text) -> Text;
    fn pg_backend_pid() -> Integer;
}

/// A column that every raw query can have.
#[derive(Debug, QueryableByName)]
pub(super) struct Said {
    #[diesel(sql_type = Text)]
    pub(super) said: String,
}

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "mood"))]
pub(super) struct MoodType;

#[derive(AsExpression, Clone, Copy, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = MoodType)]
pub(super) enum Mood {
    Sad,
    Glad,
    Unheard,
}

impl ToSql<MoodType, Pg> for Mood {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(match self {
            Self::Sad => b"sad",
            Self::Glad => b"very \"glad\"",
            Self::Unheard => b"unheard",
        })?;
        Ok(IsNull::No)
    }
}

impl FromSql<MoodType, Pg> for Mood {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"sad" => Ok(Self::Sad),
            b"very \"glad\"" => Ok(Self::Glad),
            other => Err(format!("no mood: {other:?}").into()),
        }
    }
}

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "positive"))]
pub(super) struct PositiveType;

#[derive(AsExpression, Clone, Copy, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = PositiveType)]
pub(super) struct Positive(pub(super) i32);

impl ToSql<PositiveType, Pg> for Positive {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Integer, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<PositiveType, Pg> for Positive {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Integer, Pg>::from_sql(value).map(Self)
    }
}

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "place"))]
pub(super) struct PlaceType;

#[derive(AsExpression, Clone, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = PlaceType)]
pub(super) struct Place(pub(super) i32, pub(super) String);

impl ToSql<PlaceType, Pg> for Place {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        WriteTuple::<(Integer, Text)>::write_tuple(&(self.0, self.1.as_str()), &mut out.reborrow())
    }
}

impl FromSql<PlaceType, Pg> for Place {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (x, label) = FromSql::<Record<(Integer, Text)>, Pg>::from_sql(value)?;
        Ok(Self(x, label))
    }
}

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "nowhere"))]
pub(super) struct NowhereType;

#[derive(AsExpression, Clone, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = NowhereType)]
pub(super) struct Nowhere;

impl ToSql<NowhereType, Pg> for Nowhere {
    fn to_sql<'b>(&'b self, _: &mut Output<'b, '_, Pg>) -> serialize::Result {
        Ok(IsNull::No)
    }
}
