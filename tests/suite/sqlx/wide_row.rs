use sqlx::{Column, Row, TypeInfo, ValueRef, postgres::PgRow};

use super::Road;
use crate::wide_row::{COLUMNS, column, script};
use pgferry_test_support::Stage;

/// A row's columns: name, type, and the value's own bytes.
fn seen(row: &PgRow) -> Vec<(String, String, Option<Vec<u8>>)> {
    let column = |index: usize| {
        let value = row.try_get_raw(index).unwrap();
        let bytes = (!value.is_null()).then(|| value.as_bytes().unwrap().to_vec());
        (row.column(index).name().to_owned(), row.column(index).type_info().name().to_owned(), bytes)
    };
    (0..row.len()).map(column).collect()
}

#[tokio::test]
async fn a_row_with_a_column_of_each_type_is_the_same_on_every_road() {
    assert!(COLUMNS.len() >= 60, "{} columns", COLUMNS.len());
    let stage = Stage::start();
    let control = Road::Tcp.pool(&stage).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(script())).execute(&control).await.unwrap();
    let expected = seen(&sqlx::query("select * from wide").fetch_one(&control).await.unwrap());
    assert_eq!(expected.len(), COLUMNS.len());
    for road in Road::FERRIED {
        let pool = road.pool(&stage).await;
        let row = sqlx::query("select * from wide").fetch_one(&pool).await.unwrap();
        for (ours, theirs) in seen(&row).into_iter().zip(&expected) {
            assert_eq!(&ours, theirs, "{road:?}");
        }
    }
}

#[tokio::test]
async fn nulls_of_every_type_are_the_same_on_every_road() {
    let stage = Stage::start();
    let list: Vec<_> =
        COLUMNS.iter().map(|(type_name, _)| format!("null::{type_name} as {}", column(type_name))).collect();
    let query = format!("select {}", list.join(", "));
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        let row = sqlx::query(sqlx::AssertSqlSafe(query.clone())).fetch_one(&pool).await.unwrap();
        assert!(seen(&row).iter().all(|(_, name, value)| value.is_none() && name != "?"), "{road:?}");
    }
}
