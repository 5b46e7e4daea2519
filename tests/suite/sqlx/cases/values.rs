use std::{collections::BTreeMap, ops::Bound, time::Duration};

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sqlx::{
    PgPool, Postgres, Row,
    postgres::{
        PgRow,
        types::{
            Oid, PgBox, PgCircle, PgCube, PgHstore, PgInterval, PgLQuery, PgLTree, PgMoney, PgPoint, PgRange, PgTimeTz,
        },
    },
    types::{BigDecimal, Json, JsonValue, Text, Uuid},
};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    value_bool,
    value_integers,
    value_floats,
    value_numeric,
    value_text,
    value_chars,
    value_bytea,
    value_json,
    value_json_as_text,
    value_uuid,
    value_dates,
    value_times,
    value_timestamps,
    value_time_with_time_zone,
    value_infinite_times,
    value_intervals,
    value_durations,
    value_ranges,
    value_multiranges,
    value_arrays,
    value_arrays_of_options,
    value_arrays_of_dimensions,
    value_money,
    value_oids,
    value_geometry,
    value_bits_by_text,
    value_network_by_text,
    value_xml_and_search_by_text,
    value_void_and_records,
    value_text_adapter,
    value_of_citext,
    value_of_hstore,
    value_of_ltree,
    value_of_cube,
    values_in_text,
    values_of_every_kind_null,
    values_of_the_catalogue,
    value_slices_and_references,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values() {
    super::compare(CASES).await;
}

/// Sends each value and reads it back, as the server writes it too.
async fn echoed<T>(pool: &PgPool, text: &'static str, values: impl IntoIterator<Item = T>) -> Seen
where
    T: for<'r> sqlx::Decode<'r, Postgres>
        + sqlx::Encode<'static, Postgres>
        + sqlx::Type<Postgres>
        + std::fmt::Debug
        + Send
        + 'static,
{
    let mut seen = String::new();
    for value in values {
        let row: PgRow = sqlx::query(text).bind(value).fetch_one(pool).await?;
        seen += &format!("{} {}; ", seen::outcome(&row.try_get::<T, _>(0)), seen::row(&row));
    }
    Ok(seen)
}

async fn value_bool(ground: Ground) -> Seen {
    echoed(&ground.single().await?, "select $1 as it, not $1, $1::text", [true, false]).await
}

async fn value_integers(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = echoed(&pool, "select $1 as it, $1::text", [i16::MIN, -1, 0, i16::MAX]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 1", [i32::MIN, 0, i32::MAX]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 2", [i64::MIN, 0, i64::MAX]).await?;
    seen += &echoed(&pool, "select $1 as it, 3", [-128_i8, 65, 127]).await?;
    Ok(seen)
}

async fn value_floats(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let doubles = [0.0, -0.0, 0.1, 1e308, 5e-324, 1e23, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let mut seen = echoed(&pool, "select $1 as it, $1::text", doubles).await?;
    seen += &echoed(
        &pool,
        "select $1 as it, $1::text, 1",
        [0.1_f32, f32::MAX, f32::MIN_POSITIVE, f32::NAN, f32::INFINITY, 1e-45],
    )
    .await?;
    Ok(seen)
}

async fn value_numeric(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let numbers = [
        "0",
        "-1",
        "1.10",
        "0.000000000000000000000000001",
        "12345678901234567890123456789.987654321",
        "1e40",
        "-0.0001",
        "100000",
    ];
    let mut seen =
        echoed(&pool, "select $1 as it, $1::text", numbers.map(|number| number.parse::<BigDecimal>().unwrap())).await?;
    let row = sqlx::query("select 'NaN'::numeric as a, 1.50::numeric(10, 4) as b, 'Infinity'::numeric as c, sum(i)::numeric / 3 as d from generate_series(1, 4) as i").fetch_one(&pool).await?;
    seen += &seen::row(&row);
    seen += &seen::outcome(&row.try_get::<BigDecimal, _>(0));
    Ok(seen)
}

async fn value_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let texts =
        ["", " ", "plain", "é漢字🦀", "quotes ' \" \\ and \n\r\t", "{\"a\":1}", "\u{1}\u{7f}", "NULL", "\\N", "$1"];
    let mut seen = echoed(&pool, "select $1 as it, length($1), $1 || $1", texts.map(str::to_owned)).await?;
    let row =
        sqlx::query("select 'a'::varchar(5), 'b'::char(3), 'c'::name, 'd'::\"char\", 'e'::unknown, 'f' as untyped")
            .fetch_one(&pool)
            .await?;
    seen += &seen::row(&row);
    Ok(seen)
}

async fn value_chars(ground: Ground) -> Seen {
    ground.prepare("create table padded (c char(5), v varchar(5))").await;
    let pool = ground.single().await?;
    let row = sqlx::query("insert into padded values ($1, $2) returning *, c = $1, length(c)")
        .bind("ab")
        .bind("ab ")
        .fetch_one(&pool)
        .await?;
    let long =
        sqlx::query("insert into padded values ($1, $2)").bind("abcdef").bind("x").execute(&pool).await.map(drop);
    Ok(format!("{} {}", seen::row(&row), seen::outcome(&long)))
}

async fn value_bytea(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let all: Vec<u8> = (0..=255).collect();
    echoed(&pool, "select $1 as it, length($1), encode($1, 'hex')", [vec![], vec![0], vec![0xff, b'\\', b'x'], all])
        .await
}

async fn value_json(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let values = [
        serde_json::json!(null),
        serde_json::json!({"b": [1, 2.5, "é\n\"", null, true], "a": {"nested": {}}}),
        serde_json::json!("text"),
        serde_json::json!(1e300),
    ];
    let mut seen = echoed(&pool, "select $1 as it, $1::jsonb::text", values).await?;
    let map = Json(BTreeMap::from([("one".to_owned(), 1), ("two".to_owned(), 2)]));
    seen += &echoed(&pool, "select $1 as it, $1->'one'", [map]).await?;
    let row = sqlx::query("select '{ \"a\" : 1, \"a\": 2 }'::json as kept, '{ \"a\" : 1, \"a\": 2 }'::jsonb as read, json_build_array(1, 'x', null) as made").fetch_one(&pool).await?;
    seen += &seen::row(&row);
    seen += &seen::outcome(&row.try_get::<JsonValue, _>("kept"));
    Ok(seen)
}

async fn value_json_as_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let rows = sqlx::raw_sql("select '{\"a\": [1, 2]}'::jsonb as it, '[]'::json as other").fetch_one(&pool).await?;
    Ok(format!("{} {}", seen::row(&rows), seen::outcome(&rows.try_get::<JsonValue, _>(0))))
}

async fn value_uuid(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let ids = [Uuid::nil(), Uuid::from_u128(u128::MAX), Uuid::from_u128(0x67e5504410b1426f9247bb680e5fe0c8)];
    echoed(&pool, "select $1 as it, $1::text", ids).await
}

async fn value_dates(ground: Ground) -> Seen {
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    let days = [
        day(2000, 1, 1),
        day(1999, 12, 31),
        day(1, 1, 1),
        day(-44, 3, 15),
        day(2024, 2, 29),
        day(9999, 12, 31),
        day(60_000, 1, 1),
    ];
    echoed(&ground.single().await?, "select $1 as it, $1::text, $1 + 1", days).await
}

async fn value_times(ground: Ground) -> Seen {
    let at = |h, m, s, micro| NaiveTime::from_hms_micro_opt(h, m, s, micro).unwrap();
    let times = [at(0, 0, 0, 0), at(23, 59, 59, 999_999), at(12, 34, 56, 100)];
    echoed(&ground.single().await?, "select $1 as it, $1::text", times).await
}

async fn value_timestamps(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let moments =
        ["2024-02-29T12:34:56.789", "1970-01-01T00:00:00", "0001-01-01T00:00:00", "2000-01-01T00:00:00.000001"]
            .map(|text| text.parse::<NaiveDateTime>().unwrap());
    let mut seen = echoed(&pool, "select $1 as it, $1::text", moments).await?;
    let moments = ["2024-02-29T12:34:56.789+05:45", "1969-12-31T23:59:59.999999Z"];
    seen += &echoed(&pool, "select $1 as it, $1::text, 1", moments.map(|text| text.parse::<DateTime<Utc>>().unwrap()))
        .await?;
    seen += &echoed(&pool, "select $1 as it, 2", moments.map(|text| text.parse::<DateTime<FixedOffset>>().unwrap()))
        .await?;
    let local: DateTime<Local> =
        sqlx::query_scalar("select $1").bind(moments[0].parse::<DateTime<Utc>>().unwrap()).fetch_one(&pool).await?;
    seen += &local.to_utc().to_string();
    Ok(seen)
}

async fn value_time_with_time_zone(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let time: PgTimeTz<NaiveTime, FixedOffset> =
        sqlx::query_scalar("select '12:34:56.5+05:45'::timetz").fetch_one(&pool).await?;
    let row = sqlx::query("select $1 as it, $1::text").bind(time).fetch_one(&pool).await?;
    Ok(format!("{time:?} {}", seen::row(&row)))
}

async fn value_infinite_times(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select 'infinity'::timestamptz as a, '-infinity'::timestamp as b, 'infinity'::date as c, '4714-11-24 BC'::date as d, 'epoch'::timestamptz as e").fetch_one(&pool).await?;
    Ok(seen::row(&row))
}

async fn value_intervals(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let spans = [(0, 0, 0), (1, 2, 3_000_000), (-14, -40, -1), (i32::MAX, i32::MIN, i64::MAX)];
    let spans = spans.map(|(months, days, microseconds)| PgInterval { months, days, microseconds });
    let mut seen = echoed(&pool, "select $1 as it, $1::text", spans).await?;
    let row = sqlx::query(
        "select '1 year 2 mons 3 days 04:05:06.789'::interval, age('2024-03-01'::date, '2023-02-28'::date)",
    )
    .fetch_one(&pool)
    .await?;
    seen += &seen::row(&row);
    Ok(seen)
}

async fn value_durations(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select $1 as it, '2024-01-01'::timestamptz + $1 as later")
        .bind(Duration::from_millis(90_500))
        .fetch_one(&pool)
        .await?;
    let fine = sqlx::query("select $1").bind(Duration::from_nanos(1)).fetch_one(&pool).await.map(|row| seen::row(&row));
    Ok(format!("{} {}", seen::row(&row), seen::outcome(&fine)))
}

async fn value_ranges(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let ranges = [
        PgRange::from(1..5),
        PgRange { start: Bound::Unbounded, end: Bound::Unbounded },
        PgRange::from(3..),
        PgRange::from(..=9),
        PgRange::from(4..4),
    ];
    let mut seen = echoed(&pool, "select $1 as it, $1::text, upper($1)", ranges).await?;
    let day = |d| NaiveDate::from_ymd_opt(2024, 1, d).unwrap();
    seen += &echoed(&pool, "select $1 as it, $1::text, isempty($1)", [PgRange::from(day(1)..=day(9))]).await?;
    let row = sqlx::query("select int8range(1, 10, '[]'), numrange(1.5, null), tstzrange('2024-01-01', 'infinity'), 'empty'::tsrange, array[int4range(1,2), int4range(3,4)]").fetch_one(&pool).await?;
    seen += &seen::row(&row);
    let listed: Vec<PgRange<i32>> = row.try_get(4)?;
    Ok(format!("{seen} {listed:?}"))
}

async fn value_multiranges(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select int4multirange(int4range(1,2), int4range(5,9)) as it, '{}'::datemultirange as none, $1::int4multirange as text").bind(None::<i32>).fetch_one(&pool).await;
    Ok(seen::outcome(&row.map(|row| seen::row(&row))))
}

async fn value_arrays(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = echoed(&pool, "select $1 as it, $1::text", [vec![1, -2, i32::MAX], vec![]]).await?;
    seen += &echoed(
        &pool,
        "select $1 as it, $1::text, 1",
        [vec!["a,b".to_owned(), "\"q\" \\".to_owned(), "NULL".to_owned(), String::new()]],
    )
    .await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 2", [vec![1.5, f64::NAN]]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 3", [vec![true, false]]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 4", [vec![Uuid::nil()]]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 5", [vec![vec![0_u8, 255], vec![]]]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 6", [vec![serde_json::json!({"a": 1})]]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 7", [vec!["1.50".parse::<BigDecimal>().unwrap()]]).await?;
    seen += &echoed(
        &pool,
        "select $1 as it, $1::text, 8",
        [vec!["2024-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()]],
    )
    .await?;
    seen += &echoed(&pool, "select $1 as it, array_length($1, 1), 9", [(0..5000_i64).collect::<Vec<_>>()]).await?;
    Ok(seen)
}

async fn value_arrays_of_options(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = echoed(&pool, "select $1 as it, $1::text", [vec![Some(1), None, Some(3)], vec![None]]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 1", [vec![Some("x".to_owned()), None]]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 2", [None::<Vec<i32>>, Some(vec![1])]).await?;
    Ok(seen)
}

async fn value_arrays_of_dimensions(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select array[[1,2],[3,4]] as two, '[0:1]={5,6}'::int[] as zero, '{}'::text[] as none, array[array['a', null]] as texts").fetch_one(&pool).await?;
    Ok(format!("{} {}", seen::row(&row), seen::outcome(&row.try_get::<Vec<i32>, _>(0))))
}

async fn value_money(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen =
        echoed(&pool, "select $1 as it, $1::numeric", [PgMoney(123_456), PgMoney(-1), PgMoney(i64::MAX)]).await?;
    seen += &seen::row(&sqlx::raw_sql("select '12.34'::money as it").fetch_one(&pool).await?);
    Ok(seen)
}

async fn value_oids(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = echoed(&pool, "select $1 as it", [Oid(0), Oid(u32::MAX)]).await?;
    let row = sqlx::query("select 'int4'::regtype, 'pg_class'::regclass, '1'::xid, '(3,4)'::tid, 'lower(text)'::regprocedure, '16/B374D848'::pg_lsn").fetch_one(&pool).await?;
    seen += &seen::row(&row);
    Ok(seen)
}

async fn value_geometry(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = echoed(&pool, "select $1 as it, $1::text", [PgPoint { x: 1.5, y: -2.0 }]).await?;
    seen += &echoed(&pool, "select $1 as it, $1::text, 1", [PgCircle { x: 0.0, y: 1.0, radius: 3.25 }]).await?;
    seen += &echoed(
        &pool,
        "select $1 as it, $1::text, 2",
        [PgBox { upper_right_x: 2.0, upper_right_y: 3.0, lower_left_x: 0.0, lower_left_y: 1.0 }],
    )
    .await?;
    let row = sqlx::query(
        "select '[(0,0),(1,1)]'::lseg, '{1,2,3}'::line, '((0,0),(1,1),(2,0))'::path, '((0,0),(1,1))'::polygon",
    )
    .fetch_one(&pool)
    .await?;
    seen += &seen::row(&row);
    Ok(seen)
}

async fn value_bits_by_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query(
        "select b'10110'::text as bits, $1::text::varbit::text as sent, b'101' as raw, b'1'::bit(4) as padded",
    )
    .bind("0011")
    .fetch_one(&pool)
    .await?;
    Ok(seen::row(&row))
}

async fn value_network_by_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select $1::text::inet as host, '10.0.0.0/8'::cidr as net, '08:00:2b:01:02:03'::macaddr as mac, '::1/64'::inet::text as six, host('10.1.2.3/8'::inet)").bind("192.168.0.1/24").fetch_one(&pool).await?;
    Ok(seen::row(&row))
}

async fn value_xml_and_search_by_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select to_tsvector('english', 'the quick foxes')::text as vector, to_tsquery('fox & quick') as query, to_tsvector('english', 'a cat') as binary, '$.a[*]'::jsonpath::text as path").fetch_one(&pool).await?;
    let xml = sqlx::query("select '<a>é</a>'::xml as it").fetch_one(&pool).await.map(|row| seen::row(&row));
    Ok(format!("{} {}", seen::row(&row), seen::outcome(&xml)))
}

async fn value_void_and_records(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let void = sqlx::query("select pg_notify('nobody', '') as nothing").fetch_one(&pool).await?;
    let record: (i32, String) = sqlx::query_scalar("select row(1, 'two'::text)").fetch_one(&pool).await?;
    let records: Vec<(i32, bool)> =
        sqlx::query_scalar("select array[row(1, true), row(2, false)]").fetch_one(&pool).await?;
    Ok(format!("{} {record:?} {records:?}", seen::row(&void)))
}

async fn value_text_adapter(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let address: Text<std::net::IpAddr> = sqlx::query_scalar("select $1")
        .bind(Text("10.0.0.1".parse::<std::net::IpAddr>().unwrap()))
        .fetch_one(&pool)
        .await?;
    let boxed: Box<str> = sqlx::query_scalar("select 'boxed'").fetch_one(&pool).await?;
    let cow: std::borrow::Cow<'static, str> = sqlx::query_scalar("select 'cow'").fetch_one(&pool).await?;
    Ok(format!("{} {boxed} {cow}", address.0))
}

async fn value_of_citext(ground: Ground) -> Seen {
    use sqlx::postgres::types::PgCiText;
    ground
        .prepare(
            "create extension citext; create table names (name citext primary key); insert into names values ('Ada')",
        )
        .await;
    let pool = ground.single().await?;
    let row = sqlx::query("select name, name = $1 as same from names where name = $1")
        .bind(PgCiText("ADA".into()))
        .fetch_one(&pool)
        .await?;
    let name: PgCiText = row.try_get(0)?;
    let plain: String = sqlx::query_scalar("select name from names").fetch_one(&pool).await?;
    let list: Vec<String> = sqlx::query_scalar("select array_agg(name)::text[] from names").fetch_one(&pool).await?;
    Ok(format!("{} {name} {plain} {list:?}", seen::row(&row)))
}

async fn value_of_hstore(ground: Ground) -> Seen {
    ground.prepare("create extension hstore").await;
    let pool = ground.single().await?;
    let map = PgHstore(BTreeMap::from([("a".to_owned(), Some("1, \"x\"".to_owned())), ("b".to_owned(), None)]));
    let row =
        sqlx::query("select $1 as it, $1->'a' as a, ($1 || 'c=>3'::hstore) as more").bind(map).fetch_one(&pool).await?;
    let back: PgHstore = row.try_get("it")?;
    let more: PgHstore = row.try_get("more")?;
    Ok(format!("{back:?} {more:?} {:?}", row.try_get::<String, _>("a")?))
}

async fn value_of_ltree(ground: Ground) -> Seen {
    ground
        .prepare(
            "create extension ltree; create table places (path ltree); insert into places values ('a.b.c'), ('a.d')",
        )
        .await;
    let pool = ground.single().await?;
    let path: PgLTree = "a.b".parse().unwrap();
    let query: PgLQuery = "a.*{1}".parse().unwrap();
    let below: Vec<PgLTree> =
        sqlx::query_scalar("select path from places where path <@ $1").bind(path).fetch_all(&pool).await?;
    let matching: Vec<PgLTree> =
        sqlx::query_scalar("select path from places where path ~ $1").bind(query).fetch_all(&pool).await?;
    Ok(format!("{below:?} {matching:?}"))
}

async fn value_of_cube(ground: Ground) -> Seen {
    ground.prepare("create extension cube").await;
    let pool = ground.single().await?;
    let cube: PgCube = sqlx::query_scalar("select '(1,2),(3,4)'::cube").fetch_one(&pool).await?;
    let same: bool = sqlx::query_scalar("select $1 = '(1,2),(3,4)'::cube").bind(cube.clone()).fetch_one(&pool).await?;
    Ok(format!("{cube:?} {same}"))
}

async fn values_in_text(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::raw_sql(
        "select true, 1::int2, 2::int8, 1.5::float4, 'NaN'::float8, 1.50::numeric, 'é', '\\x0aff'::bytea, '2024-01-02'::date, '03:04:05'::time,
         '2024-01-02 03:04:05.6'::timestamp, '2024-01-02 03:04:05+00'::timestamptz, '1 mon'::interval, array[1,null,3], '{\"a,b\",\"\"}'::text[],
         '00000000-0000-0000-0000-000000000001'::uuid, int4range(1,5), point(1,2), 'x'::\"char\", b'101', '10.0.0.1'::inet, row(1,'a b'), null, 'int4'::regtype",
    )
    .fetch_one(&pool)
    .await?;
    let read = (
        row.try_get::<bool, _>(0)?,
        row.try_get::<i16, _>(1)?,
        row.try_get::<f64, _>(4)?.is_nan(),
        row.try_get::<NaiveDate, _>(8)?,
        row.try_get::<DateTime<Utc>, _>(11)?,
    );
    let more = (
        row.try_get::<Vec<Option<i32>>, _>(13)?,
        row.try_get::<Vec<String>, _>(14)?,
        row.try_get::<Uuid, _>(15)?,
        row.try_get::<Vec<u8>, _>(7)?,
        row.try_get::<BigDecimal, _>(5)?,
    );
    Ok(format!("{} {read:?} {more:?}", seen::row(&row)))
}

async fn values_of_every_kind_null(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let row = sqlx::query("select $1::bool, $2::int2, $3::float8, $4::numeric, $5::text, $6::bytea, $7::jsonb, $8::uuid, $9::timestamptz, $10::interval, $11::int4[], $12::int4range")
        .bind(None::<bool>)
        .bind(None::<i16>)
        .bind(None::<f64>)
        .bind(None::<BigDecimal>)
        .bind(None::<String>)
        .bind(None::<Vec<u8>>)
        .bind(None::<JsonValue>)
        .bind(None::<Uuid>)
        .bind(None::<DateTime<Utc>>)
        .bind(None::<PgInterval>)
        .bind(None::<Vec<i32>>)
        .bind(None::<PgRange<i32>>)
        .fetch_one(&pool)
        .await?;
    Ok(seen::row(&row))
}

async fn values_of_the_catalogue(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let rows = sqlx::query("select oid, typname, typnamespace::regnamespace, typlen, typbyval, typcategory, typrelid, typdefault from pg_type where oid in (16, 23, 25, 1007, 2249) order by oid").fetch_all(&pool).await?;
    let more = sqlx::query("select current_user, current_catalog = current_database(), current_date - current_date, version() like 'PostgreSQL%'").fetch_one(&pool).await?;
    Ok(seen::rows(&rows) + &seen::row(&more))
}

async fn value_slices_and_references(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let text = String::from("owned");
    let list = [1, 2, 3];
    let row = sqlx::query("select $1 as a, $2 as b, $3 as c, $4 as d, $5 as e")
        .bind(&text)
        .bind(&list[1..])
        .bind(list)
        .bind(Some(&text))
        .bind(&b"bytes"[..])
        .fetch_one(&pool)
        .await?;
    let borrowed: &str = row.try_get("a")?;
    let bytes: &[u8] = row.try_get("e")?;
    Ok(format!("{} {borrowed} {bytes:?}", seen::row(&row)))
}
