use std::fmt;

use anyhow::{Context, Result};
use bytes::Bytes;
use fallible_iterator::FallibleIterator;
use pgferry::Oid;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, RowDescriptionBody};

/// What a statement gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The columns; none where it gives no rows.
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// The command tag; empty for an empty statement.
    pub(crate) tag: String,
}

/// The values of a row, `None` for null.
pub(crate) type Row = Vec<Option<Bytes>>;

/// A column as a `RowDescription` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) table_oid: Oid,
    pub(crate) column_id: i16,
    pub(crate) type_oid: Oid,
    pub(crate) type_size: i16,
    pub(crate) type_modifier: i32,
}

/// The fields of an `ErrorResponse` by their letters, without those that name a place in the server's source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) Vec<(char, String)>);

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (letter, value)) in self.0.iter().enumerate() {
            let lead = if index == 0 { "" } else { ", " };
            write!(formatter, "{lead}{letter}: {value:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

pub(super) fn failure(body: &ErrorResponseBody) -> Result<Failure> {
    let mut fields: Vec<(char, String)> = body
        .fields()
        .map(|field| Ok((char::from(field.type_()), String::from_utf8_lossy(field.value_bytes()).into_owned())))
        .collect()?;
    fields.retain(|(letter, _)| !matches!(letter, 'F' | 'L' | 'R' | 'S'));
    fields.sort();
    Ok(Failure(fields))
}

pub(super) fn columns(body: &RowDescriptionBody) -> Result<Vec<Column>> {
    let columns = body.fields().map(|field| {
        Ok(Column {
            name: field.name().to_owned(),
            table_oid: field.table_oid(),
            column_id: field.column_id(),
            type_oid: field.type_oid(),
            type_size: field.type_size(),
            type_modifier: field.type_modifier(),
        })
    });
    Ok(columns.collect()?)
}

pub(super) fn row(body: &DataRowBody) -> Result<Row> {
    let buffer = body.buffer_bytes();
    let mut row = Row::new();
    let mut ranges = body.ranges();
    while let Some(range) = ranges.next()? {
        row.push(match range {
            Some(range) => {
                buffer.get(range.clone()).context("a value ends behind its row")?;
                Some(buffer.slice(range))
            }
            None => None,
        });
    }
    Ok(row)
}
