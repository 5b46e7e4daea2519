//! Values inside others, for a role whose settings give them another text.

use std::ops::Bound;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{
    Executor,
    postgres::types::{PgInterval, PgRange},
};

use super::Road;
use pgferry_test_support::Stage;

const TYPES: &str =
    "create type moments as (day date, spans interval[], bytes bytea, at timestamptz, during tstzrange)";

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "moments")]
struct Moments {
    day: Option<NaiveDate>,
    spans: Vec<Option<PgInterval>>,
    bytes: Vec<u8>,
    at: DateTime<Utc>,
    during: PgRange<DateTime<Utc>>,
}

fn moments() -> Moments {
    let day = NaiveDate::from_ymd_opt(2024, 3, 4).unwrap();
    let at = day.and_hms_opt(5, 6, 7).unwrap().and_utc();
    Moments {
        day: Some(day),
        spans: vec![Some(PgInterval { months: -14, days: 3, microseconds: -7_384_000_001 }), None],
        bytes: vec![0, 255, b'\\', b'"', b'(', b','],
        at,
        during: PgRange { start: Bound::Included(at), end: Bound::Unbounded },
    }
}

#[tokio::test]
async fn values_inside_others_are_the_same_for_a_role_with_other_defaults() {
    let stage = Stage::start();
    Road::Tcp.pool(&stage).await.execute(TYPES).await.unwrap();
    let database = stage.database();
    for setting in [
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "TimeZone = 'Asia/Kathmandu'",
    ] {
        stage.psql(&format!("alter role app in database {database} set {setting}"));
    }
    for road in Road::ALL {
        let pool = &road.pool(&stage).await;
        let one = moments();
        let none = Moments { day: None, spans: vec![], ..moments() };
        let back: Moments = sqlx::query_scalar("select $1 as one").bind(&one).fetch_one(pool).await.unwrap();
        assert_eq!(back, one, "{road:?}");
        let both = vec![Some(one.clone()), None, Some(none)];
        let back: Vec<Option<Moments>> =
            sqlx::query_scalar("select $1 as several").bind(&both).fetch_one(pool).await.unwrap();
        assert_eq!(back, both, "{road:?}");
        // The server itself sees the same parts.
        let seen: bool = sqlx::query_scalar(
            "select ($1).day = make_date(2024, 3, 4) and ($1).bytes = decode('00ff5c22282c', 'hex') and lower(($1).during) = ($1).at
                    and extract(epoch from ($1).at) = 1709528767 and extract(month from ($1).spans[1]) = -2
                    and extract(day from ($1).spans[1]) = 3",
        )
        .bind(&one)
        .fetch_one(pool)
        .await
        .unwrap();
        assert!(seen, "{road:?}");
        let days = vec![PgRange { start: Bound::Included(moments().day.unwrap()), end: Bound::Unbounded }];
        let back: Vec<PgRange<NaiveDate>> =
            sqlx::query_scalar("select $1 as days").bind(&days).fetch_one(pool).await.unwrap();
        assert_eq!(back, days, "{road:?}");
    }
}
