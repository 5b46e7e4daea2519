use std::{borrow::Cow, fmt, sync::Arc};

use super::{Field, FromText, RawRow};
use crate::error::{Error, Outcome, Result};

/// A row of a result: Postgres's text of each value, by index or by name.
#[derive(Clone)]
pub struct Row {
    columns: Arc<[Field]>,
    values: RawRow,
}

impl Row {
    /// The decoder has checked that there are as many values as columns.
    pub(super) fn new(columns: Arc<[Field]>, values: RawRow) -> Self {
        Self { columns, values }
    }

    /// Returns the columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[Field] {
        &self.columns
    }

    /// Returns how many columns the row has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Returns whether the row has no columns, as of `SELECT FROM t`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns Postgres's text of a value, or `None` for SQL's null.
    ///
    /// # Errors
    ///
    /// * There is no such column, or several of that name.
    /// * The value arrived malformed, which is a fault of the server's.
    pub fn text(&self, column: impl ColumnIndex) -> Result<Option<Cow<'_, str>>> {
        self.values.get(column.index(&self.columns)?)
    }

    /// Returns a value, converted from Postgres's text; as an `Option` where it may be null.
    ///
    /// # Errors
    ///
    /// * As of [`text`](Self::text).
    /// * The value is null and `T` cannot be, or its text is not one of a `T`.
    pub fn get<T: FromText>(&self, column: impl ColumnIndex) -> Result<T> {
        let index = column.index(&self.columns)?;
        let value = match self.values.get(index)? {
            Some(text) => T::from_text(&text),
            None => T::from_null(),
        };
        value.map_err(|error| {
            let name = self.columns.get(index).map_or("", |field| &field.name);
            Error::value(
                format!("column {index} ({name:?}) cannot be read as {}", std::any::type_name::<T>()),
                Outcome::Unknown,
            )
            .with_source(error)
        })
    }
}

/// Values may be anybody's secrets, so that only the columns are shown.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { columns, values: _ } = self;
        f.debug_list().entries(columns.iter().map(|field| &field.name)).finish()
    }
}

/// What names a column of a [`Row`]: its index from 0, or its name where no other column has the same.
pub trait ColumnIndex {
    /// Returns the column's index.
    ///
    /// # Errors
    ///
    /// There is no such column, or several.
    fn index(&self, columns: &[Field]) -> Result<usize>;
}

impl ColumnIndex for usize {
    fn index(&self, columns: &[Field]) -> Result<usize> {
        if *self < columns.len() {
            return Ok(*self);
        }
        let count = columns.len();
        Err(Error::value(format!("there is no column {self}: the row has {count}, counted from 0"), Outcome::Unknown))
    }
}

impl ColumnIndex for &str {
    fn index(&self, columns: &[Field]) -> Result<usize> {
        let mut found = columns.iter().enumerate().filter(|(_, field)| field.name == *self);
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(index),
            (None, _) => {
                let names: Vec<_> = columns.iter().map(|field| field.name.as_str()).collect();
                Err(Error::value(format!("there is no column {self:?} among {names:?}"), Outcome::Unknown))
            }
            (Some(_), Some(_)) => Err(Error::value(
                format!("several columns are named {self:?}: name them apart with AS, or read them by index"),
                Outcome::Unknown,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::wire::{Event, ResponseDecoder};

    fn row(names: &[&str], values: &str) -> Row {
        let fields: Vec<_> = names.iter().map(|name| Field { name: (*name).into(), ..Field::default() }).collect();
        let json = serde_json::to_string(&fields).unwrap();
        let mut decoder = ResponseDecoder::new();
        decoder.push(format!(r#"{{"fields":{json},"rows":[{values}]"#).into());
        decoder.next().unwrap();
        let Some(Event::Row(raw)) = decoder.next().unwrap() else { panic!("no row") };
        Row::new(fields.into(), raw)
    }

    #[test]
    fn values_are_found_by_index_and_by_name() {
        let row = row(&["id", "name", "at", "data"], r#"["7","Zo\u00eb",null,"\\x00ff"]"#);
        assert_eq!(row.get::<i32>(0).unwrap(), 7);
        assert_eq!(row.get::<String>("name").unwrap(), "Zoë");
        assert_eq!(row.get::<Option<String>>("at").unwrap(), None);
        assert_eq!(row.get::<Vec<u8>>("data").unwrap(), [0, 255]);
        assert_eq!(row.text("id").unwrap().as_deref(), Some("7"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let row = row(&["a", "a", "b"], r#"["1","2",null]"#);
        assert!(row.get::<i32>("a").unwrap_err().message().contains("several columns"));
        assert_eq!(row.get::<i32>(1).unwrap(), 2);
        assert!(row.get::<i32>("c").unwrap_err().message().contains("no column \"c\""));
        assert!(row.get::<i32>(3).unwrap_err().message().contains("the row has 3"));
        assert!(row.get::<i32>("b").unwrap_err().message().contains("i32"));
        assert!(row.get::<bool>(0).is_err());
        assert!(row.get::<Vec<u8>>(0).is_err());
    }
}
