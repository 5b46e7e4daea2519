//! Every type of the slice, as parameter and as result, null and in arrays; the server's own text is the oracle.

use std::fmt::Debug;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::{
    connection::LoadConnection,
    deserialize::FromSql,
    dsl::sql,
    pg::Pg,
    prelude::*,
    query_builder::QueryId,
    serialize::ToSql,
    sql_query,
    sql_types::{
        self, Array, BigInt, Binary, Bool, Date, Double, Float, HasSqlType, Integer, Json, Jsonb, Nullable, Numeric,
        SingleValue, SmallInt, SqlType, Text, Time, Timestamp, Timestamptz,
    },
};
use pgferry_diesel::FerryConnection;
use serde_json::json;
use uuid::Uuid;

use super::{Place, one::One};

super::on_each_transport!(scalars, arrays, nulls, columns_of_every_type, numbers_at_their_limits, odd_texts);

fn scalars(place: &Place) {
    let connection = &mut place.connect();
    same::<Bool, _>(connection, "true", true);
    same::<SmallInt, _>(connection, "'-7'::int2", -7_i16);
    same::<Integer, _>(connection, "42", 42);
    same::<BigInt, _>(connection, "'9007199254740993'::int8", 9_007_199_254_740_993_i64);
    same::<Float, _>(connection, "'0.1'::float4", 0.1_f32);
    same::<Double, _>(connection, "'0.1'::float8", 0.1_f64);
    same::<Numeric, _>(connection, "'-12345678901234567890.00120'::numeric", decimal("-12345678901234567890.00120"));
    same::<Text, _>(connection, "'zwölf Boxkämpfer ⛴'", "zwölf Boxkämpfer ⛴".to_owned());
    same::<Binary, _>(connection, r"'\x00ff5c27'::bytea", vec![0_u8, 0xff, 0x5c, 0x27]);
    same::<sql_types::Uuid, _>(connection, "'c0ffee00-1234-4abc-8def-0123456789ab'::uuid", uuid());
    same::<Json, _>(connection, r#"'{"a":[1,null,"ü"]}'::json"#, json!({"a": [1, null, "ü"]}));
    same::<Jsonb, _>(connection, r#"'{"a": [1, null, "ü"]}'::jsonb"#, json!({"a": [1, null, "ü"]}));
    same::<Date, _>(connection, "'2024-02-29'::date", date());
    same::<Time, _>(connection, "'23:59:59.999999'::time", time());
    same::<Timestamp, _>(connection, "'2024-02-29 23:59:59.999999'::timestamp", date().and_time(time()));
    same::<Timestamptz, _>(
        connection,
        "'2024-03-01 01:59:59.999999+02'::timestamptz",
        date().and_time(time()).and_utc(),
    );
}

fn arrays(place: &Place) {
    let connection = &mut place.connect();
    same::<Array<Bool>, _>(connection, "'{t,f}'::bool[]", vec![true, false]);
    same::<Array<SmallInt>, _>(connection, "'{1,-2}'::int2[]", vec![1_i16, -2]);
    same::<Array<Integer>, _>(connection, "'{}'::int4[]", Vec::<i32>::new());
    same::<Array<BigInt>, _>(connection, "'{9007199254740993}'::int8[]", vec![9_007_199_254_740_993_i64]);
    same::<Array<Float>, _>(connection, "'{0.1,Infinity}'::float4[]", vec![0.1_f32, f32::INFINITY]);
    same::<Array<Double>, _>(connection, "'{-Infinity,1e-300}'::float8[]", vec![f64::NEG_INFINITY, 1e-300]);
    same::<Array<Numeric>, _>(
        connection,
        "'{0,0.10,1e30}'::numeric[]",
        ["0", "0.10", "1000000000000000000000000000000"].map(decimal).to_vec(),
    );
    let texts = ["", "null", "NULL", "a,b", "{}", "\"quoted\"", "back\\slash", " spaces ", "'", "line\nfeed", "⛴"];
    same::<Array<Text>, _>(
        connection,
        r#"array['', 'null', 'NULL', 'a,b', '{}', '"quoted"', e'back\\slash', ' spaces ', '''', e'line\nfeed', '⛴']"#,
        texts.map(str::to_owned).to_vec(),
    );
    same::<Array<Binary>, _>(connection, r"array['\x'::bytea, '\x5c22']", vec![vec![], vec![0x5c_u8, 0x22]]);
    same::<Array<sql_types::Uuid>, _>(connection, "array['c0ffee00-1234-4abc-8def-0123456789ab'::uuid]", vec![uuid()]);
    same::<Array<Json>, _>(connection, r#"array['{"a":"b,c"}'::json]"#, vec![json!({"a": "b,c"})]);
    same::<Array<Jsonb>, _>(connection, r#"array['[1, 2]'::jsonb, '"x"']"#, vec![json!([1, 2]), json!("x")]);
    same::<Array<Date>, _>(
        connection,
        "array['2024-02-29'::date, '0044-03-15 BC']",
        vec![date(), NaiveDate::from_ymd_opt(-43, 3, 15).unwrap()],
    );
    same::<Array<Time>, _>(connection, "array['23:59:59.999999'::time]", vec![time()]);
    same::<Array<Timestamp>, _>(
        connection,
        "array['2024-02-29 23:59:59.999999'::timestamp]",
        vec![date().and_time(time())],
    );
    same::<Array<Timestamptz>, _>(
        connection,
        "array['2024-02-29 23:59:59.999999Z'::timestamptz]",
        vec![date().and_time(time()).and_utc()],
    );
    same::<Array<Nullable<Integer>>, _>(connection, "'{1,NULL,3}'::int4[]", vec![Some(1), None, Some(3)]);
    same::<Array<Nullable<Text>>, _>(
        connection,
        "'{a,NULL,\"NULL\"}'::text[]",
        vec![Some("a".to_owned()), None, Some("NULL".to_owned())],
    );
}

fn nulls(place: &Place) {
    let connection = &mut place.connect();
    null::<Bool, bool>(connection, "bool");
    null::<SmallInt, i16>(connection, "int2");
    null::<Integer, i32>(connection, "int4");
    null::<BigInt, i64>(connection, "int8");
    null::<Float, f32>(connection, "float4");
    null::<Double, f64>(connection, "float8");
    null::<Numeric, BigDecimal>(connection, "numeric");
    null::<Text, String>(connection, "text");
    null::<Binary, Vec<u8>>(connection, "bytea");
    null::<sql_types::Uuid, Uuid>(connection, "uuid");
    null::<Json, serde_json::Value>(connection, "json");
    null::<Jsonb, serde_json::Value>(connection, "jsonb");
    null::<Date, NaiveDate>(connection, "date");
    null::<Time, NaiveTime>(connection, "time");
    null::<Timestamp, NaiveDateTime>(connection, "timestamp");
    null::<Timestamptz, DateTime<Utc>>(connection, "timestamptz");
    null::<Array<Integer>, Vec<i32>>(connection, "int4[]");
    null::<Array<Text>, Vec<String>>(connection, "text[]");
}

diesel::table! {
    samples (id) {
        id -> Integer,
        truth -> Nullable<Bool>,
        small -> Nullable<SmallInt>,
        big -> Nullable<BigInt>,
        single -> Nullable<Float>,
        double -> Nullable<Double>,
        exact -> Nullable<Numeric>,
        label -> Nullable<Varchar>,
        padded -> Nullable<Bpchar>,
        raw -> Nullable<Binary>,
        key -> Nullable<Uuid>,
        document -> Nullable<Jsonb>,
        day -> Nullable<Date>,
        moment -> Nullable<Timestamptz>,
        tags -> Nullable<Array<Text>>,
    }
}

#[derive(Clone, Debug, Insertable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = samples, check_for_backend(Pg))]
struct Sample {
    id: i32,
    truth: Option<bool>,
    small: Option<i16>,
    big: Option<i64>,
    single: Option<f32>,
    double: Option<f64>,
    exact: Option<BigDecimal>,
    label: Option<String>,
    padded: Option<String>,
    raw: Option<Vec<u8>>,
    key: Option<Uuid>,
    document: Option<serde_json::Value>,
    day: Option<NaiveDate>,
    moment: Option<DateTime<Utc>>,
    tags: Option<Vec<String>>,
}

fn columns_of_every_type(place: &Place) {
    let connection = &mut place.connect();
    sql_query(
        "create table samples (id int4 primary key, truth bool, small int2, big int8, single float4, double float8, exact numeric, \
         label varchar(20), padded char(4), raw bytea, key uuid, document jsonb, day date, moment timestamptz, tags text[])",
    )
    .execute(connection)
    .unwrap();
    let full = Sample {
        id: 1,
        truth: Some(false),
        small: Some(i16::MIN),
        big: Some(i64::MAX),
        single: Some(-0.5),
        double: Some(1e308),
        exact: Some(decimal("3.140")),
        label: Some("a label".to_owned()),
        padded: Some("ab  ".to_owned()),
        raw: Some(vec![1, 0, 2]),
        key: Some(uuid()),
        document: Some(json!({"k": 1.5})),
        day: Some(date()),
        moment: Some(date().and_time(time()).and_utc()),
        tags: Some(vec!["x".to_owned(), String::new()]),
    };
    let empty = Sample {
        id: 2,
        truth: None,
        small: None,
        big: None,
        single: None,
        double: None,
        exact: None,
        label: None,
        padded: None,
        raw: None,
        key: None,
        document: None,
        day: None,
        moment: None,
        tags: None,
    };
    let rows = vec![full, empty];
    assert_eq!(diesel::insert_into(samples::table).values(&rows).execute(connection), Ok(2));
    let read = samples::table.order(samples::id).select(Sample::as_select()).load(&mut place.connect());
    assert_eq!(read, Ok(rows));
}

fn numbers_at_their_limits(place: &Place) {
    let connection = &mut place.connect();
    same::<SmallInt, _>(connection, "'-32768'::int2", i16::MIN);
    same::<Integer, _>(connection, "'-2147483648'::int4", i32::MIN);
    same::<BigInt, _>(connection, "'-9223372036854775808'::int8", i64::MIN);
    same::<BigInt, _>(connection, "'9223372036854775807'::int8", i64::MAX);
    same::<Float, _>(connection, "'1e-45'::float4", f32::from_bits(1));
    same::<Double, _>(connection, "'5e-324'::float8", f64::from_bits(1));
    same::<Double, _>(connection, "'1.7976931348623157e308'::float8", f64::MAX);
    let not_a_number: f64 = diesel::select(sql::<Double>("'NaN'::float8")).get_result(connection).unwrap();
    assert!(not_a_number.is_nan());
    same::<Numeric, _>(connection, "'0.0001'::numeric", decimal("0.0001"));
    same::<Numeric, _>(connection, "'10000'::numeric", decimal("10000"));
    same::<Timestamp, _>(
        connection,
        "'0001-01-01 00:00:00 BC'::timestamp",
        NaiveDate::from_ymd_opt(0, 1, 1).unwrap().and_time(NaiveTime::MIN),
    );
}

fn odd_texts(place: &Place) {
    let connection = &mut place.connect();
    for text in
        ["", "null", "$1", "'; drop table x; --", "\\x41", "\u{1}\t\r\n\u{7f}", "\u{10ffff}", "{\"json\": true}"]
    {
        let echoed = diesel::select(text.into_sql::<Text>()).get_result::<String>(connection);
        assert_eq!(echoed.as_deref(), Ok(text));
    }
    let long = "ä".repeat(300_000);
    let echoed = diesel::select(long.as_str().into_sql::<Text>()).get_result::<String>(connection);
    assert_eq!(echoed.as_deref(), Ok(long.as_str()));
}

/// Reads `literal` as `value`, and has the server agree that the parameter `value` is `literal`.
#[track_caller]
pub(super) fn same<ST, T>(connection: &mut impl LoadConnection<Backend = Pg>, literal: &str, value: T)
where
    ST: QueryId + SingleValue + SqlType + 'static,
    T: Debug + FromSql<ST, Pg> + PartialEq + ToSql<ST, Pg> + 'static,
    Pg: HasSqlType<ST>,
{
    let read = sql_query(format!("select {literal} as value")).get_result::<One<ST, T>>(connection);
    assert_eq!(read.map(|one| one.value).as_ref(), Ok(&value), "{literal}");
    // Texts are compared, since json has no equality.
    let compare = format!("select cast($1 as text) = cast({literal} as text) as value");
    let is_same = sql_query(compare).bind::<ST, _>(value).get_result::<One<Bool, bool>>(connection);
    assert_eq!(is_same.map(|one| one.value), Ok(true), "{literal}");
}

/// Reads and sends the null of a type.
#[track_caller]
fn null<ST, T>(connection: &mut FerryConnection, name: &str)
where
    ST: QueryId + SingleValue + SqlType<IsNull = sql_types::is_nullable::NotNull> + 'static,
    T: Debug + FromSql<ST, Pg> + PartialEq + ToSql<ST, Pg> + 'static,
    Pg: HasSqlType<ST>,
{
    let read =
        sql_query(format!("select null::{name} as value")).get_result::<One<Nullable<ST>, Option<T>>>(connection);
    assert_eq!(read.map(|one| one.value), Ok(None), "{name}");
    let is_null = sql_query("select $1 is null and pg_typeof($1) = cast($2 as regtype) as value")
        .bind::<Nullable<ST>, Option<T>>(None)
        .bind::<Text, _>(name)
        .get_result::<One<Bool, bool>>(connection);
    assert_eq!(is_null.map(|one| one.value), Ok(true), "{name}");
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().unwrap()
}

fn uuid() -> Uuid {
    "c0ffee00-1234-4abc-8def-0123456789ab".parse().unwrap()
}

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()
}

fn time() -> NaiveTime {
    NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap()
}
