//! Types of the database's own, looked up by name: enums, domains, ranges, what an extension brings, and arrays of them.

use std::{
    io::Write,
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use diesel::{
    connection::{InstrumentationEvent, SimpleConnection},
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{GetPgMetadataCache, Pg, PgMetadataCacheKey, PgValue},
    prelude::*,
    query_builder::QueryId,
    result::{DatabaseErrorKind, Error},
    serialize::{self, IsNull, Output, ToSql},
    sql_query,
    sql_types::{Array, BigInt, Bool, Citext, Integer, Nullable, Range, SqlType, Text},
};

use super::{Place, Road, one::One};

super::on_each_road!(
    enums_are_looked_up,
    domains_and_ranges_are_looked_up,
    what_an_extension_brings_is_looked_up,
    names_are_quoted_and_qualified,
    the_first_schema_on_the_search_path_counts,
    schemas_off_the_search_path_do_not_count,
    a_type_that_does_not_exist_is_an_error,
    a_value_that_the_type_has_not_is_an_error,
    the_cache_keeps_types_and_takes_them,
);

mod look_ups {
    use super::look_ups_cost_one_query;

    super::super::on_each_transport!(look_ups_cost_one_query);
}

#[derive(QueryId, SqlType)]
#[diesel(postgres_type(name = "mood"))]
pub struct MoodType;

#[derive(AsExpression, Clone, Copy, Debug, FromSqlRow, PartialEq)]
#[diesel(sql_type = MoodType)]
pub(crate) enum Mood {
    Glad,
    Sad,
    Unheard,
}

impl ToSql<MoodType, Pg> for Mood {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(match self {
            Self::Glad => b"glad",
            Self::Sad => b"sad, \"very\"",
            Self::Unheard => b"unheard",
        })?;
        Ok(IsNull::No)
    }
}

impl FromSql<MoodType, Pg> for Mood {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"glad" => Ok(Self::Glad),
            b"sad, \"very\"" => Ok(Self::Sad),
            other => Err(format!("no mood: {other:?}").into()),
        }
    }
}

/// What makes the type that [`Mood`] stands for.
pub(crate) const MOOD: &str = r#"create type mood as enum ('sad, "very"', 'glad');"#;

/// Declares a type whose values are those of another.
macro_rules! wrapped {
    ($rust:ident ($inner:ty) is $sql:ident ($($named:tt)+) like $like:ty) => {
        #[derive(QueryId, SqlType)]
        #[diesel(postgres_type($($named)+))]
        pub struct $sql;

        #[derive(AsExpression, Clone, Debug, FromSqlRow, PartialEq)]
        #[diesel(sql_type = $sql)]
        struct $rust($inner);

        impl ToSql<$sql, Pg> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<$like, Pg>::to_sql(&self.0, out)
            }
        }

        impl FromSql<$sql, Pg> for $rust {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                FromSql::<$like, Pg>::from_sql(value).map(Self)
            }
        }
    };
}

wrapped!(Positive(i32) is PositiveType(name = "positive") like Integer);
wrapped!(Span((Bound<i64>, Bound<i64>)) is SpanType(name = "span") like Range<BigInt>);
wrapped!(Odd(String) is OddType(name = "An \"Odd\" Name", schema = "Its Schema") like Text);
wrapped!(Grade(String) is GradeType(name = "grade") like Text);

diesel::table! {
    use diesel::sql_types::*;
    use super::MoodType;

    days (id) {
        id -> Integer,
        mood -> Nullable<MoodType>,
        moods -> Array<Nullable<MoodType>>,
    }
}

fn enums_are_looked_up<R: Road>(road: &R) {
    let connection = &mut road.connect();
    connection.batch_execute(MOOD).unwrap();
    connection.batch_execute("create table days (id int4 primary key, mood mood, moods mood[] not null)").unwrap();
    let rows = vec![
        (1, Some(Mood::Sad), vec![Some(Mood::Sad), None, Some(Mood::Glad)]),
        (2, None, vec![]),
        (3, Some(Mood::Glad), vec![Some(Mood::Glad)]),
    ];
    let values: Vec<_> =
        rows.iter().map(|(id, mood, moods)| (days::id.eq(id), days::mood.eq(mood), days::moods.eq(moods))).collect();
    assert_eq!(diesel::insert_into(days::table).values(values).execute(connection), Ok(3));
    // Read by a connection that has looked nothing up.
    assert_eq!(days::table.order(days::id).load(&mut road.connect()), Ok(rows));

    let glad = days::table.filter(days::mood.eq(Mood::Glad)).select(days::id).load::<i32>(connection);
    assert_eq!(glad, Ok(vec![3]));
    let any = days::table.filter(days::mood.eq_any([Mood::Sad, Mood::Glad])).count().get_result::<i64>(connection);
    assert_eq!(any, Ok(2));
    let echoed = diesel::select(Mood::Sad.into_sql::<MoodType>()).get_result(connection);
    assert_eq!(echoed, Ok(Mood::Sad));
    let name = sql_query("select pg_typeof($1)::text || pg_typeof($2)::text as value")
        .bind::<MoodType, _>(Mood::Glad)
        .bind::<Array<MoodType>, _>(vec![Mood::Glad]);
    assert_eq!(One::<Text, String>::of(name, connection).as_deref(), Ok("moodmood[]"));
}

fn domains_and_ranges_are_looked_up<R: Road>(road: &R) {
    let connection = &mut road.connect();
    connection
        .batch_execute(
            "create domain positive as int4 check (value > 0); create type span as range (subtype = int8); \
             create table measures (id int4 primary key, amount positive not null, spans span[] not null)",
        )
        .unwrap();
    let spans = vec![
        Span((Bound::Included(-1), Bound::Excluded(i64::MAX))),
        Span((Bound::Unbounded, Bound::Included(5))),
        Span((Bound::Excluded(i64::MIN), Bound::Unbounded)),
    ];
    let written = sql_query("insert into measures values (1, $1, $2)")
        .bind::<PositiveType, _>(Positive(7))
        .bind::<Array<SpanType>, _>(&spans)
        .execute(connection);
    assert_eq!(written, Ok(1));
    let amount = One::<Integer, i32>::of(sql_query("select amount as value from measures"), connection);
    assert_eq!(amount, Ok(7));
    let read = One::<Array<SpanType>, Vec<Span>>::of(sql_query("select spans as value from measures"), connection);
    assert_eq!(read.as_ref(), Ok(&spans));
    let text = One::<Text, String>::of(sql_query("select spans::text as value from measures"), connection);
    assert_eq!(text.as_deref(), Ok(r#"{"[-1,9223372036854775807)","(,5]","(-9223372036854775808,)"}"#));
    let echoed = diesel::select(spans[1].clone().into_sql::<SpanType>()).get_result::<Span>(connection);
    assert_eq!(echoed.as_ref(), Ok(&spans[1]));
    let positives = sql_query("select array[$1, $1 + 1]::positive[] as value").bind::<PositiveType, _>(Positive(1));
    assert_eq!(One::<Array<PositiveType>, _>::of(positives, connection), Ok(vec![Positive(1), Positive(2)]));
    let nothing = sql_query("select $1 is null as value").bind::<Nullable<SpanType>, Option<Span>>(None);
    assert_eq!(One::<Bool, _>::of(nothing, connection), Ok(true));

    match sql_query("insert into measures values (2, $1, '{}')")
        .bind::<PositiveType, _>(Positive(-1))
        .execute(connection)
    {
        Err(Error::DatabaseError(DatabaseErrorKind::CheckViolation, error)) => {
            assert_eq!(error.message(), "value for domain positive violates check constraint \"positive_check\"");
        }
        other => panic!("{other:?}"),
    }
}

fn what_an_extension_brings_is_looked_up<R: Road>(road: &R) {
    road.stage().psql("create extension citext");
    let connection = &mut road.connect();
    let equal = sql_query("select $1 = 'STRASSE' as value").bind::<Citext, _>("Strasse");
    assert_eq!(One::<Bool, _>::of(equal, connection), Ok(true));
    let read = One::<Citext, String>::of(sql_query("select citext 'Grüße, \"Ö\"' as value"), connection);
    assert_eq!(read.as_deref(), Ok("Grüße, \"Ö\""));
    let texts = vec!["a,b".to_owned(), "NULL".to_owned(), String::new()];
    let query = sql_query("select $1 || array[citext 'x'] as value").bind::<Array<Citext>, _>(&texts);
    let appended = One::<Array<Citext>, Vec<String>>::of(query, connection);
    assert_eq!(appended, Ok([&texts[..], &["x".to_owned()]].concat()));
}

fn names_are_quoted_and_qualified<R: Road>(road: &R) {
    let connection = &mut road.connect();
    let script = r#"create schema "Its Schema"; create type "Its Schema"."An ""Odd"" Name" as enum ('a'); create type "Its Schema"."grade" as enum ('x')"#;
    connection.batch_execute(script).unwrap();
    let odd = Odd("a".to_owned());
    let echoed = diesel::select(odd.clone().into_sql::<OddType>()).get_result::<Odd>(connection);
    assert_eq!(echoed.as_ref(), Ok(&odd));
    let odds = vec![odd.clone(), odd];
    let echoed = diesel::select(odds.clone().into_sql::<Array<OddType>>()).get_result::<Vec<Odd>>(connection);
    assert_eq!(echoed, Ok(odds));
    // Without a schema only those on the search path are found.
    let grade = Grade("x".to_owned());
    let error = diesel::select(grade.into_sql::<GradeType>()).get_result::<Grade>(connection).unwrap_err();
    assert!(matches!(error, Error::SerializationError(_)), "{error:?}");
}

fn the_first_schema_on_the_search_path_counts<R: Road>(road: &R) {
    finds(road, "second, first, public", "second");
}

fn schemas_off_the_search_path_do_not_count<R: Road>(road: &R) {
    finds(road, "missing, public", "public");
}

/// Finds the type `grade` of one schema among those of three.
fn finds<R: Road>(road: &R, search_path: &str, found: &str) {
    let stage = road.stage();
    stage.psql(
        "create schema first; create schema second; grant usage on schema first, second to app; \
         create type second.grade as enum ('second'); create type first.grade as enum ('first'); create type public.grade as enum ('public')",
    );
    stage.psql(&format!("alter role app in database {} set search_path = {search_path}", stage.database()));
    let grade = Grade(found.to_owned());
    let echoed = diesel::select(grade.clone().into_sql::<GradeType>()).get_result(&mut road.connect());
    assert_eq!(echoed, Ok(grade));
}

fn a_type_that_does_not_exist_is_an_error<R: Road>(road: &R) {
    let connection = &mut road.connect();
    for _ in 0..2 {
        let error = diesel::select(Mood::Sad.into_sql::<MoodType>()).get_result::<Mood>(connection).unwrap_err();
        assert!(matches!(error, Error::SerializationError(_)) && error.to_string().contains("mood"), "{error:?}");
    }
    let error = diesel::select(Vec::<Mood>::new().into_sql::<Array<MoodType>>()).execute(connection).unwrap_err();
    assert!(matches!(error, Error::SerializationError(_)), "{error:?}");
    assert_eq!(sql_query("select 1").execute(connection), Ok(1));
    // It is found once it is there.
    connection.batch_execute(MOOD).unwrap();
    let echoed = diesel::select(Mood::Sad.into_sql::<MoodType>()).get_result(connection);
    assert_eq!(echoed, Ok(Mood::Sad));
}

fn a_value_that_the_type_has_not_is_an_error<R: Road>(road: &R) {
    let connection = &mut road.connect();
    connection.batch_execute(MOOD).unwrap();
    match diesel::select(Mood::Unheard.into_sql::<MoodType>()).get_result::<Mood>(connection) {
        Err(Error::DatabaseError(DatabaseErrorKind::Unknown, error)) => {
            assert_eq!(error.message(), "invalid input value for enum mood: \"unheard\"");
        }
        other => panic!("{other:?}"),
    }
}

fn look_ups_cost_one_query(place: &Place) {
    let connection = &mut place.connect();
    let script =
        "create domain positive as int4; create type span as range (subtype = int8); create table grade (points int4)";
    connection.batch_execute(&format!("{MOOD} {script}")).unwrap();
    let queries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&queries);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let names = sql_query("select concat_ws(',', pg_typeof($1), pg_typeof($2), pg_typeof($3)) as value")
        .bind::<Array<Nullable<MoodType>>, _>(vec![Some(Mood::Glad), None])
        .bind::<PositiveType, _>(Positive(1))
        .bind::<Nullable<SpanType>, Option<Span>>(None);
    assert_eq!(One::<Text, String>::of(names, connection).as_deref(), Ok("mood[],positive,span"));
    assert_eq!(queries.load(Ordering::Relaxed), 2, "one look-up and the statement itself");
    let echoed = diesel::select(Mood::Sad.into_sql::<MoodType>()).get_result(connection);
    assert_eq!(echoed, Ok(Mood::Sad));
    assert_eq!(queries.load(Ordering::Relaxed), 3);
    // The row type of a table is found too, by a look-up of its own.
    let none = sql_query("select pg_typeof($1)::text as value").bind::<Nullable<GradeType>, Option<Grade>>(None);
    assert_eq!(One::<Text, String>::of(none, connection).as_deref(), Ok("grade"));
    assert_eq!(queries.load(Ordering::Relaxed), 5);
}

fn the_cache_keeps_types_and_takes_them<R: Road<Connection: GetPgMetadataCache>>(road: &R) {
    let mut connection = road.connect();
    connection.batch_execute(MOOD).unwrap();
    let key = |name: &'static str| PgMetadataCacheKey::new(None, name.into());
    diesel::select(Mood::Glad.into_sql::<MoodType>()).execute(&mut connection).unwrap();
    let cached = connection.get_metadata_cache().lookup_type(&key("mood")).unwrap();
    let oids = format!("{}|{}", cached.oid().unwrap(), cached.array_oid().unwrap());
    assert_eq!(road.stage().psql("select oid, typarray from pg_type where typname = 'mood'"), oids);
    // What a program has stored is believed: here that a mood is an integer.
    assert!(connection.get_metadata_cache().lookup_type(&key("nowhere")).is_none());
    connection.get_metadata_cache().store_type(key("mood"), (23, 1007));
    // Another query, since a statement that is kept keeps its types.
    let query = diesel::select((Mood::Sad.into_sql::<MoodType>(), 1.into_sql::<Integer>()));
    let error = query.execute(&mut connection).unwrap_err();
    assert!(matches!(error, Error::DatabaseError(..) | Error::SerializationError(_)), "{error:?}");
}
