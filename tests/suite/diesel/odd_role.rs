//! A role whose defaults change what text means: the values stay what they are.

use std::ops::Bound;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::{
    data_types::PgInterval,
    dsl::sql,
    prelude::*,
    sql_types::{Array, Binary, Date, Double, Float, Interval, Nullable, Range, Text, Time, Timestamp, Timestamptz},
};

use super::{Road, values::same};

super::on_each_road!(dates_and_times_stay, intervals_stay, bytes_and_numbers_stay);

fn connect<R: Road>(road: &R) -> R::Connection {
    let settings = [
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "TimeZone = 'Asia/Kathmandu'",
        "extra_float_digits = -5",
    ];
    let stage = road.stage();
    for setting in settings {
        stage.psql(&format!("alter role app in database {} set {setting}", stage.database()));
    }
    road.connect()
}

fn dates_and_times_stay<R: Road>(road: &R) {
    let connection = &mut connect(road);
    let date = NaiveDate::from_ymd_opt(2024, 2, 3).unwrap();
    let time = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    same::<Date, _>(connection, "make_date(2024, 2, 3)", date);
    same::<Date, _>(connection, "make_date(-44, 3, 15)", NaiveDate::from_ymd_opt(-43, 3, 15).unwrap());
    same::<Time, _>(connection, "make_time(23, 59, 59.999999)", time);
    same::<Timestamp, _>(connection, "make_timestamp(2024, 2, 3, 23, 59, 59.999999)", date.and_time(time));
    same::<Timestamptz, _>(
        connection,
        "make_timestamptz(2024, 2, 3, 23, 59, 59.999999, 'Asia/Kathmandu')",
        moment("2024-02-03T18:14:59.999999Z"),
    );
    same::<Timestamptz, _>(connection, "make_timestamptz(1900, 1, 1, 0, 0, 0, 'UTC')", moment("1900-01-01T00:00:00Z"));
    same::<Array<Timestamptz>, _>(
        connection,
        "array[make_timestamptz(2024, 7, 8, 0, 0, 0, 'America/New_York'), make_timestamptz(2024, 12, 8, 0, 0, 0, 'UTC')]",
        vec![moment("2024-07-08T04:00:00Z"), moment("2024-12-08T00:00:00Z")],
    );
    same::<Array<Nullable<Date>>, _>(connection, "array[make_date(2024, 2, 3), null]", vec![Some(date), None]);
    same::<Range<Timestamptz>, _>(
        connection,
        "tstzrange(make_timestamptz(2024, 2, 3, 4, 5, 6, 'UTC'), null)",
        (Bound::Included(moment("2024-02-03T04:05:06Z")), Bound::Unbounded),
    );
}

fn intervals_stay<R: Road>(road: &R) {
    let connection = &mut connect(road);
    let mixed = PgInterval::new(7_384_000_005, -1, 0);
    same::<Interval, _>(connection, "make_interval(days => -1, hours => 2, mins => 3, secs => 4.000005)", mixed);
    let negative = PgInterval::new(-7_384_000_005, 1, -14);
    same::<Interval, _>(
        connection,
        "make_interval(years => -1, months => -2, days => 1, hours => -2, mins => -3, secs => -4.000005)",
        negative,
    );
    same::<Interval, _>(connection, "make_interval()", PgInterval::new(0, 0, 0));
    same::<Interval, _>(connection, "make_interval(months => 14)", PgInterval::from_months(14));
    same::<Array<Interval>, _>(
        connection,
        "array[make_interval(days => -1, hours => 2, mins => 3, secs => 4.000005), make_interval(days => 3)]",
        vec![mixed, PgInterval::from_days(3)],
    );
    let later = diesel::select(sql::<Timestamp>("make_timestamp(2024, 1, 31, 0, 0, 0) + ").bind::<Interval, _>(mixed));
    let expected = NaiveDate::from_ymd_opt(2024, 1, 30).unwrap().and_hms_micro_opt(2, 3, 4, 5);
    assert_eq!(later.get_result(connection).ok(), expected);
}

fn bytes_and_numbers_stay<R: Road>(road: &R) {
    let connection = &mut connect(road);
    same::<Binary, _>(connection, r"decode('005c27ff22', 'hex')", vec![0_u8, 0x5c, 0x27, 0xff, 0x22]);
    same::<Array<Binary>, _>(
        connection,
        "array[decode('5c78', 'hex'), decode('', 'hex'), decode('2c7b', 'hex')]",
        vec![b"\\x".to_vec(), vec![], b",{".to_vec()],
    );
    same::<Double, _>(connection, "float8 '0.1' + float8 '0.2'", 0.1_f64 + 0.2);
    same::<Double, _>(connection, "float8 '5e-324'", f64::from_bits(1));
    same::<Float, _>(connection, "float4 '16777217'", 16_777_217_f32);
    same::<Array<Double>, _>(connection, "array[float8 '9.999999999999999e+22', '-0']", vec![1e23, -0.0]);
    same::<Text, _>(connection, r"text 'a\b'", r"a\b".to_owned());
}
