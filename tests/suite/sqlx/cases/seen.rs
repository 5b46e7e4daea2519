//! What a program can see, as text.

use std::fmt::Write as _;

use sqlx::{
    Column, Row, TypeInfo, ValueRef,
    postgres::{PgDatabaseError, PgErrorPosition, PgRow, PgValueFormat},
};

/// Each row's columns: their names, types and bytes.
pub(super) fn rows(rows: &[PgRow]) -> String {
    let mut seen = String::new();
    for each in rows {
        row_into(&mut seen, each);
        seen.push('\n');
    }
    seen
}

pub(super) fn row(row: &PgRow) -> String {
    let mut seen = String::new();
    row_into(&mut seen, row);
    seen
}

fn row_into(seen: &mut String, row: &PgRow) {
    for column in row.columns() {
        let value = row.try_get_raw(column.ordinal()).unwrap();
        let said = match (value.is_null(), value.format()) {
            (true, _) => "null".to_owned(),
            (false, PgValueFormat::Text) => format!("{:?}", value.as_str().unwrap()),
            (false, PgValueFormat::Binary) => hex(value.as_bytes().unwrap()),
        };
        write!(seen, "{}:{}={said} ", column.name(), column.type_info().name()).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 200;
    let mut seen = String::from("0x");
    for byte in bytes.iter().take(SHOWN) {
        write!(seen, "{byte:02x}").unwrap();
    }
    if bytes.len() > SHOWN {
        write!(seen, "… {} bytes", bytes.len()).unwrap();
    }
    seen
}

/// All that a program may look at in an error.
pub(super) fn error(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(database) = error else { return format!("{error}") };
    let Some(seen) = database.try_downcast_ref::<PgDatabaseError>() else { return format!("{error}") };
    let position = match seen.position() {
        None => String::new(),
        Some(PgErrorPosition::Original(position)) => position.to_string(),
        Some(PgErrorPosition::Internal { position, query }) => format!("{position} in {query}"),
    };
    let mut said = format!("{:?} {}: {}", seen.severity(), seen.code(), seen.message());
    let fields = [
        ("position", Some(position.as_str()).filter(|position| !position.is_empty())),
        ("detail", seen.detail()),
        ("hint", seen.hint()),
        ("where", seen.r#where()),
        ("schema", seen.schema()),
        ("table", seen.table()),
        ("column", seen.column()),
        ("type", seen.data_type()),
        ("constraint", seen.constraint()),
        ("routine", seen.routine()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            write!(said, "; {name}: {value}").unwrap();
        }
    }
    said
}

/// A result of any kind, shown by its own `Debug` where it is one.
pub(super) fn outcome<T: std::fmt::Debug>(outcome: &sqlx::Result<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(failure) => error(failure),
    }
}
