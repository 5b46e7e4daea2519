use std::{fmt::Debug, str::FromStr};

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sqlx::{
    FromRow, PgPool, Postgres, Row,
    postgres::{
        PgArguments, PgHasArrayType, PgRow,
        types::{Oid, PgInterval},
    },
    query::QueryScalar,
};
use uuid::Uuid;

use super::Road;
use pgferry_test_support::Stage;

/// Sends each value as a parameter and as an element of an array, and as null, and expects it back.
async fn round_trip<T>(pool: &PgPool, road: Road, values: impl IntoIterator<Item = T>)
where
    T: sqlx::Type<Postgres> + PgHasArrayType + PartialEq + Debug + Clone + Send + Sync + Unpin + 'static,
    T: for<'a> sqlx::Encode<'a, Postgres> + for<'a> sqlx::Decode<'a, Postgres>,
{
    let values: Vec<T> = values.into_iter().collect();
    for value in &values {
        let back: T = echo().bind(value.clone()).fetch_one(pool).await.unwrap();
        assert_eq!(&back, value, "{road:?}");
    }
    let null: Option<T> = echo().bind(None::<T>).fetch_one(pool).await.unwrap();
    assert_eq!(null, None, "{road:?}");

    let mut array: Vec<Option<T>> = values.into_iter().map(Some).collect();
    array.push(None);
    for array in [array, Vec::new()] {
        let back: Vec<Option<T>> = echo().bind(array.clone()).fetch_one(pool).await.unwrap();
        assert_eq!(back, array, "{road:?}");
    }
}

/// Not kept, since sqlx keeps statements by their text, with the types of their first use.
fn echo<'q, T>() -> QueryScalar<'q, Postgres, T, PgArguments>
where
    (T,): for<'r> FromRow<'r, PgRow>,
{
    sqlx::query_scalar("select $1").persistent(false)
}

#[tokio::test]
async fn every_type_of_the_slice_comes_back_as_it_was_sent() {
    let stage = Stage::start();
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let time = |hour, minute, second, micro| NaiveTime::from_hms_micro_opt(hour, minute, second, micro).unwrap();
    let moments = [
        day(2024, 2, 29).and_time(time(23, 59, 59, 999_999)),
        day(1969, 12, 31).and_time(time(0, 0, 0, 1)),
        day(-43, 3, 15).and_time(time(12, 0, 0, 0)),
        day(99_999, 1, 1).and_time(time(0, 0, 0, 0)),
    ];
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        round_trip(pool, road, [true, false]).await;
        round_trip(pool, road, [0, i16::MIN, i16::MAX]).await;
        round_trip(pool, road, [0, i32::MIN, i32::MAX]).await;
        round_trip(pool, road, [0, i64::MIN, i64::MAX]).await;
        round_trip(pool, road, [0.0, -0.0, 0.1, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, f32::NEG_INFINITY]).await;
        round_trip(pool, road, [0.0, 0.1, 1e300, 5e-324, f64::MAX, f64::INFINITY, 123_456_789.123_456_79]).await;
        let numerics = [
            "0",
            "1.10",
            "-0.000000000000000000000000012345",
            "12345678901234567890123456789012345678901234567890.5",
            "10000",
        ];
        round_trip(pool, road, numerics.map(|text| BigDecimal::from_str(text).unwrap())).await;
        let texts = ["", "plain", "q'u\"o\\te {a,b} NULL", "Grüße, 世界 🚢", " \t\r\n", "null"];
        round_trip(pool, road, texts.map(str::to_owned)).await;
        round_trip(pool, road, [vec![], vec![0, 1, 92, 255], (0..=255).collect::<Vec<u8>>()]).await;
        round_trip(pool, road, [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x0123_4567_89ab_cdef)]).await;
        let documents = [r#"{"b": [1, 2.5, null], "a": "ü\"\\"}"#, "null", "\"text\"", "[]"];
        round_trip(pool, road, documents.map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap())).await;
        round_trip(pool, road, moments.map(|moment| moment.date())).await;
        round_trip(pool, road, moments.map(|moment| moment.time())).await;
        round_trip::<NaiveDateTime>(pool, road, moments).await;
        round_trip::<DateTime<Utc>>(pool, road, moments.map(|moment| moment.and_utc())).await;
        round_trip(pool, road, [Oid(0), Oid(u32::MAX)]).await;
        let not_a_number: f64 = echo().bind(f64::NAN).fetch_one(pool).await.unwrap();
        assert!(not_a_number.is_nan(), "{road:?}");
    }
}

#[tokio::test]
async fn columns_of_every_text_type_and_both_json_types_are_read() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        let row = sqlx::query(
            "select 'v'::varchar(5) as v, 'p'::char(3) as p, 'n'::name as n, 't'::text as t,
                    '{\"a\": 1}'::json as j, '{\"a\": 1}'::jsonb as b, '{a,NULL}'::name[] as a, '{x,\"y z\"}'::varchar[] as w",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        let text = |name: &str| row.get::<String, _>(name);
        assert_eq!(
            (text("v"), text("p"), text("n"), text("t")),
            ("v".into(), "p  ".into(), "n".into(), "t".into()),
            "{road:?}"
        );
        let expected = serde_json::json!({"a": 1});
        assert_eq!(
            (row.get::<serde_json::Value, _>("j"), row.get::<serde_json::Value, _>("b")),
            (expected.clone(), expected),
            "{road:?}"
        );
        assert_eq!(row.get::<Vec<Option<String>>, _>("a"), [Some("a".to_owned()), None], "{road:?}");
        assert_eq!(row.get::<Vec<String>, _>("w"), ["x", "y z"], "{road:?}");
    }
}

/// Statements whose meaning depends on the parameters' types being known, which over HTTP they are only through the prologue.
#[tokio::test]
async fn declared_types_mean_the_same_as_over_tcp() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        let sum: i64 = sqlx::query_scalar("select $1 + $2").bind(2_i64).bind(40_i32).fetch_one(pool).await.unwrap();
        assert_eq!(sum, 42, "{road:?}");
        let built: serde_json::Value =
            sqlx::query_scalar("select jsonb_build_object('a', $1)").bind(7_i32).fetch_one(pool).await.unwrap();
        assert_eq!(built, serde_json::json!({"a": 7}), "{road:?}");
        let pairs: Vec<(i32, String)> = sqlx::query_as("select * from unnest($1, $2) as pairs(number, name)")
            .bind(vec![1, 2])
            .bind(vec!["one".to_owned(), "two".to_owned()])
            .fetch_all(pool)
            .await
            .unwrap();
        assert_eq!(pairs, [(1, "one".to_owned()), (2, "two".to_owned())], "{road:?}");
        let row = sqlx::query("with recursive n as (select 1 as i union all select i + 1 from n where i < $1) select count(*) as many from n")
            .bind(10_i32)
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(row.get::<i64, _>("many"), 10, "{road:?}");
        let first: Vec<i32> = sqlx::query_scalar("select * from generate_series(1, 9) fetch first $1 rows only")
            .bind(3_i64)
            .fetch_all(pool)
            .await
            .unwrap();
        assert_eq!(first, [1, 2, 3], "{road:?}");
    }
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Post {
    id: i64,
    title: String,
    rating: Option<f64>,
    tags: Vec<String>,
}

#[tokio::test]
async fn a_table_is_written_and_read() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        sqlx::raw_sql("drop table if exists posts; create table posts (id bigserial primary key, title text not null, rating float8, tags text[] not null)")
            .execute(pool)
            .await
            .unwrap();
        let written = sqlx::query("insert into posts (title, rating, tags) values ($1, $2, $3), ($4, null, '{}')")
            .bind("first")
            .bind(4.5)
            .bind(vec!["a", "b"])
            .bind("second")
            .execute(pool)
            .await
            .unwrap();
        assert_eq!(written.rows_affected(), 2, "{road:?}");
        let posts: Vec<Post> = sqlx::query_as("select * from posts order by id").fetch_all(pool).await.unwrap();
        let expected = [
            Post { id: 1, title: "first".into(), rating: Some(4.5), tags: vec!["a".into(), "b".into()] },
            Post { id: 2, title: "second".into(), rating: None, tags: vec![] },
        ];
        assert_eq!(posts, expected, "{road:?}");
        let id: i64 = sqlx::query_scalar("insert into posts (title, tags) values ($1, '{}') returning id")
            .bind("third")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(id, 3, "{road:?}");
        let changed = sqlx::query("update posts set rating = 1 where rating is null").execute(pool).await.unwrap();
        assert_eq!(changed.rows_affected(), 2, "{road:?}");
        let deleted =
            sqlx::query("delete from posts where id = any($1)").bind(vec![1_i64, 2]).execute(pool).await.unwrap();
        assert_eq!(deleted.rows_affected(), 2, "{road:?}");
        let missing: Option<Post> =
            sqlx::query_as("select * from posts where id = $1").bind(1_i64).fetch_optional(pool).await.unwrap();
        assert_eq!(missing, None, "{road:?}");
    }
}

#[tokio::test]
async fn large_values_and_many_rows_arrive_whole() {
    use futures_util::TryStreamExt;

    let stage = Stage::start();
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        let large = "0123456789abcdéf".repeat(128 * 1024);
        let back: String = sqlx::query_scalar("select $1 || ''").bind(&large).fetch_one(pool).await.unwrap();
        assert!(back == large, "{road:?}: {} bytes came back", back.len());
        let (mut count, mut sum) = (0, 0);
        let mut rows =
            sqlx::query_as::<_, (i32, String)>("select i, repeat('x', i % 100) from generate_series(1, 20000) as i")
                .fetch(pool);
        while let Some((number, text)) = rows.try_next().await.unwrap() {
            count += 1;
            sum += text.len();
            assert_eq!(number, count, "{road:?}");
        }
        assert_eq!((count, sum), (20_000, 990_000), "{road:?}");
    }
}

#[tokio::test]
async fn a_role_with_other_defaults_gives_the_same_values() {
    let stage = Stage::start();
    let database = stage.database();
    for setting in [
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "TimeZone = 'Asia/Kathmandu'",
        "extra_float_digits = -3",
    ] {
        stage.psql(&format!("alter role app in database {database} set {setting}"));
    }
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        let row = sqlx::query(
            "select '2024-03-04'::date as day, '2024-03-04 05:06:07+00'::timestamptz as moment, ('2024-03-04 01:00'::timestamptz)::text as told,
                    '\\x00ff5c'::bytea as bytes, 0.1::float8 + 0.2::float8 as sum, make_interval(days => -1, secs => 7384) as span, $1::timestamptz as given",
        )
        .bind(DateTime::UNIX_EPOCH)
        .fetch_one(pool)
        .await
        .unwrap();
        let day = NaiveDate::from_ymd_opt(2024, 3, 4).unwrap();
        assert_eq!(row.get::<NaiveDate, _>("day"), day, "{road:?}");
        assert_eq!(row.get::<DateTime<Utc>, _>("moment"), day.and_hms_opt(5, 6, 7).unwrap().and_utc(), "{road:?}");
        assert_eq!(row.get::<String, _>("told"), "2024-03-04 01:00:00+00", "{road:?}");
        assert_eq!(row.get::<Vec<u8>, _>("bytes"), [0, 255, 92], "{road:?}");
        assert_eq!(row.get::<f64, _>("sum"), 0.1 + 0.2, "{road:?}");
        let span = PgInterval { months: 0, days: -1, microseconds: 7_384_000_000 };
        assert_eq!(row.get::<PgInterval, _>("span"), span, "{road:?}");
        assert_eq!(row.get::<DateTime<Utc>, _>("given"), DateTime::UNIX_EPOCH, "{road:?}");
    }
}
