use std::ops::Bound;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::{
    data_types::PgInterval,
    dsl::sql,
    sql_types::{self, Array, Nullable, Range, Text},
};
use ipnetwork::IpNetwork;
use serde_json::Value;
use uuid::Uuid;

use super::{Conn, world::RunQueryDsl};
use crate::diesel_cases::{
    case::{Case, Seen, cases},
    ground::Ground,
    schema::*,
    seen::outcome,
};

pub(in crate::diesel_cases) const CASES: &[Case] = cases![
    value_bool,
    value_integers,
    value_floats,
    value_numeric,
    value_texts,
    value_bytes,
    value_uuid,
    value_json,
    value_dates,
    value_timestamps,
    value_intervals,
    value_network,
    value_ranges,
    value_arrays,
    value_arrays_of_nulls,
    value_nulls,
    value_one_char,
    value_oid_and_name,
    value_that_does_not_fit,
];

/// Reads what the server writes, sends it back, and reads the server's text for it.
macro_rules! echo {
    ($c:expr, $($sql:literal as $st:ty => $t:ty),+ $(,)?) => {{
        let mut seen = Vec::new();
        $(
            let read = diesel::select(sql::<$st>($sql)).get_result::<$t>($c).await;
            if let Ok(value) = &read {
                let back = diesel::sql_query("select $1::text as said").bind::<$st, _>(value.clone());
                seen.push(outcome(back.get_result::<Said>($c).await.map(|one| one.said)));
            }
            seen.push(outcome(read));
        )+
        Ok(seen.join(" "))
    }};
}

async fn value_bool(c: &mut Conn, _: &Ground) -> Seen {
    echo!(c, "true" as sql_types::Bool => bool, "false" as sql_types::Bool => bool)
}

async fn value_integers(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'-32768'::int2" as sql_types::SmallInt => i16,
        "'-2147483648'::int4" as sql_types::Integer => i32,
        "'9223372036854775807'::int8" as sql_types::BigInt => i64
    )
}

async fn value_floats(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'0.1'::float4" as sql_types::Float => f32,
        "'NaN'::float8" as sql_types::Double => f64,
        "'-Infinity'::float8" as sql_types::Double => f64,
        "'5e-324'::float8" as sql_types::Double => f64
    )
}

async fn value_numeric(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'-12345678901234567890.00120'::numeric" as sql_types::Numeric => BigDecimal,
        "'0'::numeric" as sql_types::Numeric => BigDecimal,
        "'1e30'::numeric" as sql_types::Numeric => BigDecimal,
        "'NaN'::numeric" as sql_types::Numeric => BigDecimal
    )
}

async fn value_texts(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "''" as Text => String,
        "e'\\\\ \\n ''quoted'' \"double\" \\x01'" as Text => String,
        "'zwölf ⛴ 😀'" as Text => String,
        "'ab'::char(5)" as Text => String
    )
}

async fn value_bytes(c: &mut Conn, _: &Ground) -> Seen {
    echo!(c, "'\\x'::bytea" as sql_types::Binary => Vec<u8>, "'\\x00ff5c27'::bytea" as sql_types::Binary => Vec<u8>)
}

async fn value_uuid(c: &mut Conn, _: &Ground) -> Seen {
    echo!(c, "'c0ffee00-1234-4abc-8def-0123456789ab'::uuid" as sql_types::Uuid => Uuid)
}

async fn value_json(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'{\"a\":[1,null,\"ü\",1.50]}'::json" as sql_types::Json => Value,
        "'{\"b\": 1e400, \"a\": {}}'::jsonb" as sql_types::Jsonb => Value,
        "'null'::jsonb" as sql_types::Jsonb => Value
    )
}

async fn value_dates(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'2024-02-29'::date" as sql_types::Date => NaiveDate,
        "'0044-03-15 BC'::date" as sql_types::Date => NaiveDate,
        "'infinity'::date" as sql_types::Date => NaiveDate,
        "'23:59:59.999999'::time" as sql_types::Time => NaiveTime
    )
}

async fn value_timestamps(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'2024-02-29 23:59:59.999999'::timestamp" as sql_types::Timestamp => NaiveDateTime,
        "'2024-03-01 01:59:59.999999+02'::timestamptz" as sql_types::Timestamptz => DateTime<Utc>,
        "'0001-01-01 00:00:00 BC'::timestamp" as sql_types::Timestamp => NaiveDateTime
    )
}

async fn value_intervals(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'1 year -2 mons 3 days -04:05:06.000007'::interval" as sql_types::Interval => PgInterval,
        "'-178956970 years -8 mons -2147483648 days'::interval" as sql_types::Interval => PgInterval,
        "'2562047788:00:54.775807'::interval" as sql_types::Interval => PgInterval,
        "'-1 day -9223372036854775808 microseconds'::interval" as sql_types::Interval => PgInterval
    )
}

async fn value_network(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'192.168.1.5/24'::inet" as sql_types::Inet => IpNetwork,
        "'2001:db8::/32'::cidr" as sql_types::Cidr => IpNetwork,
        "'08:00:2b:01:02:03'::macaddr" as sql_types::MacAddr => [u8; 6]
    )
}

async fn value_ranges(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'[1,5)'::int4range" as Range<sql_types::Integer> => (Bound<i32>, Bound<i32>),
        "'(,5]'::int8range" as Range<sql_types::BigInt> => (Bound<i64>, Bound<i64>),
        "'[2024-01-01,)'::daterange" as Range<sql_types::Date> => (Bound<NaiveDate>, Bound<NaiveDate>)
    )
}

async fn value_arrays(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'{1,-2}'::int4[]" as Array<sql_types::Integer> => Vec<i32>,
        "'{}'::text[]" as Array<Text> => Vec<String>,
        "array['a,b', 'NULL', '', '\"', e'\\\\']" as Array<Text> => Vec<String>,
        "array['c0ffee00-1234-4abc-8def-0123456789ab'::uuid]" as Array<sql_types::Uuid> => Vec<Uuid>,
        "'{0,0.10}'::numeric[]" as Array<sql_types::Numeric> => Vec<BigDecimal>,
        "array['[1]'::jsonb]" as Array<sql_types::Jsonb> => Vec<Value>
    )
}

async fn value_arrays_of_nulls(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "'{1,NULL,3}'::int4[]" as Array<Nullable<sql_types::Integer>> => Vec<Option<i32>>,
        "'{NULL,\"NULL\"}'::text[]" as Array<Nullable<Text>> => Vec<Option<String>>
    )
}

async fn value_nulls(c: &mut Conn, _: &Ground) -> Seen {
    echo!(
        c,
        "null::int4" as Nullable<sql_types::Integer> => Option<i32>,
        "null::text" as Nullable<Text> => Option<String>,
        "null::jsonb" as Nullable<sql_types::Jsonb> => Option<Value>,
        "null::timestamptz" as Nullable<sql_types::Timestamptz> => Option<DateTime<Utc>>,
        "null::int4[]" as Nullable<Array<sql_types::Integer>> => Option<Vec<i32>>
    )
}

async fn value_one_char(c: &mut Conn, _: &Ground) -> Seen {
    echo!(c, "'x'::\"char\"" as sql_types::CChar => u8)
}

async fn value_oid_and_name(c: &mut Conn, _: &Ground) -> Seen {
    echo!(c, "'4294967295'::oid" as sql_types::Oid => u32)
}

async fn value_that_does_not_fit(c: &mut Conn, _: &Ground) -> Seen {
    echo!(c, "1::int8" as sql_types::Integer => i32, "1::int2" as sql_types::BigInt => i64, "'a'" as sql_types::Uuid => Uuid)
}
