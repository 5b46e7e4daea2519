use std::{num::NonZeroU32, ops::Range, sync::Arc};

use diesel::{
    pg::{Pg, PgValue},
    row::{self, PartialRow, RowIndex, RowSealed},
};
use pgferry::wire::{Column, DataRow};

/// A row, with values in Postgres's binary form.
#[derive(Clone, Debug)]
pub struct Row {
    columns: Arc<[Column]>,
    data: DataRow,
}

impl Row {
    pub(crate) fn new(columns: Arc<[Column]>, data: DataRow) -> Self {
        Self { columns, data }
    }
}

impl RowSealed for Row {}

impl<'a> row::Row<'a, Pg> for Row {
    type Field<'f>
        = Field<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.columns.len()
    }

    fn get<'b, I>(&'b self, index: I) -> Option<Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let index = self.idx(index)?;
        let column = self.columns.get(index)?;
        let value = self.data.values().nth(index)?;
        Some(Field { name: &column.name, type_oid: type_oid(column), value })
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for Row {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.columns.len()).then_some(index)
    }
}

impl RowIndex<&str> for Row {
    fn idx(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A value of a row, with its column's name and type.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    name: &'a str,
    type_oid: NonZeroU32,
    value: Option<&'a [u8]>,
}

impl row::Field<'_, Pg> for Field<'_> {
    fn field_name(&self) -> Option<&str> {
        Some(self.name)
    }

    fn value(&self) -> Option<PgValue<'_>> {
        self.value.map(|bytes| PgValue::new(bytes, &self.type_oid))
    }

    fn is_null(&self) -> bool {
        self.value.is_none()
    }
}

/// The column's type. No type has the OID 0, so a server that says so gets the one that Postgres calls `unknown`.
fn type_oid(column: &Column) -> NonZeroU32 {
    const UNKNOWN: NonZeroU32 = NonZeroU32::new(705).unwrap();
    NonZeroU32::new(column.type_oid).unwrap_or(UNKNOWN)
}
