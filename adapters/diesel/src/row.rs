use std::{
    num::NonZeroU32,
    ops::Range,
    sync::{Arc, OnceLock},
};

use diesel::{
    pg::{Pg, PgValue},
    row::{self, PartialRow, RowIndex, RowSealed},
};
use pgferry::wire::{Column, DataRow};

use crate::columns::Columns;

/// A row, with values in Postgres's binary form.
#[derive(Clone, Debug)]
pub struct Row {
    columns: Arc<Columns>,
    data: DataRow,
    /// Where each value is in the data, found when the first is asked for.
    places: OnceLock<Box<[Option<Range<usize>>]>>,
}

impl Row {
    pub(crate) fn new(columns: Arc<Columns>, data: DataRow) -> Self {
        Self { columns, data, places: OnceLock::new() }
    }

    /// Returns a value, `Some(None)` for null, in a time that does not depend on how many there are.
    fn value(&self, index: usize) -> Option<Option<&[u8]>> {
        let places = self.places.get_or_init(|| places(&self.data));
        match places.get(index)? {
            Some(place) => Some(Some(self.data.as_bytes().get(place.clone())?)),
            None => Some(None),
        }
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
        let value = self.value(index)?;
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
        self.columns.position(name)
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

/// Where the values are in a row's bytes: behind the count, each behind its length.
fn places(row: &DataRow) -> Box<[Option<Range<usize>>]> {
    let mut end = size_of::<u16>();
    let place = |value: Option<&[u8]>| {
        let start = end + size_of::<i32>();
        end = start + value.map_or(0, <[u8]>::len);
        value.map(|_| start..end)
    };
    row.values().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_any_order() {
        let values = [Some(&b"first"[..]), None, Some(&b""[..]), Some(&[0xff; 300][..]), None];
        let mut builder = DataRow::builder(values.len()).unwrap();
        for value in values {
            match value {
                Some(value) => builder
                    .push(|out| {
                        out.extend_from_slice(value);
                        Ok(())
                    })
                    .unwrap(),
                None => builder.push_null(),
            }
        }
        let row = Row::new(Arc::new(Columns::new(Arc::from([]))), builder.finish().unwrap());
        for index in [3, 0, 4, 1, 2, 0] {
            assert_eq!(row.value(index), Some(values[index]), "{index}");
        }
        assert_eq!(row.value(values.len()), None);
    }
}
