use std::{fmt, mem};

use bytes::{Bytes, BytesMut};

use super::DataRow;
use crate::error::{Error, Outcome, Result};

/// Makes a [`DataRow`] value by value, each written straight into the row's bytes.
///
/// # Example
///
/// ```
/// use pgferry::wire::DataRow;
///
/// let mut builder = DataRow::builder(2)?;
/// builder.push(|out| {
///     out.extend_from_slice(&7_i32.to_be_bytes());
///     Ok(())
/// })?;
/// builder.push_null();
/// let row = builder.finish()?;
/// assert_eq!(row.values().collect::<Vec<_>>(), [Some(&[0, 0, 0, 7][..]), None]);
/// # Ok::<_, pgferry::Error>(())
/// ```
///
/// One builder makes all rows of a result, whose small ones then share allocations:
///
/// ```
/// use pgferry::wire::DataRow;
///
/// let mut builder = DataRow::builder(1)?;
/// let mut rows = Vec::new();
/// for _ in 0..3 {
///     builder.restart(0);
///     builder.push_null();
///     rows.push(builder.take()?);
/// }
/// assert_eq!(rows[2].values().collect::<Vec<_>>(), [None]);
/// # Ok::<_, pgferry::Error>(())
/// ```
pub struct DataRowBuilder {
    count: u16,
    body: Vec<u8>,
    missing: usize,
    /// What small rows are carved from.
    block: BytesMut,
}

/// How many bytes small rows share an allocation of, and so the most that one of them keeps alive.
const BLOCK: usize = 8 * 1024;

/// The largest row that shares an allocation, in bytes.
const SMALL: usize = BLOCK / 8;

impl DataRowBuilder {
    /// Begins a row.
    ///
    /// # Errors
    ///
    /// When there are more than 65535 columns.
    pub fn new(columns: usize) -> Result<Self> {
        Self::with_capacity(columns, 0)
    }

    /// Begins a row with room for this many bytes of values.
    ///
    /// # Errors
    ///
    /// When there are more than 65535 columns.
    pub fn with_capacity(columns: usize, bytes: usize) -> Result<Self> {
        let count = u16::try_from(columns)
            .map_err(|_| Error::limit(format!("a row cannot have {columns} columns"), Outcome::Unknown))?;
        let mut builder = Self { count, body: Vec::new(), missing: 0, block: BytesMut::new() };
        builder.restart(bytes);
        Ok(builder)
    }

    /// Begins the row anew, with room for this many bytes of values.
    pub fn restart(&mut self, bytes: usize) {
        self.body.clear();
        self.missing = self.count.into();
        self.body.reserve(2 + 4 * self.missing + bytes);
        self.body.extend_from_slice(&self.count.to_be_bytes());
    }

    /// Adds a null.
    pub fn push_null(&mut self) {
        self.missing = self.missing.wrapping_sub(1);
        self.body.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// Adds the value that the closure appends to the bytes it is given.
    ///
    /// # Errors
    ///
    /// The closure's, and a limit when the value is larger than 2 GiB; the row is of no use then.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        let start = self.body.len();
        self.body.extend_from_slice(&[0; 4]);
        write(&mut self.body)?;
        let length =
            self.body.len().checked_sub(start + 4).and_then(|length| i32::try_from(length).ok()).ok_or_else(|| {
                Error::limit("a value does not fit into a row: it is larger than 2 GiB", Outcome::Unknown)
            })?;
        if let Some(prefix) = self.body.get_mut(start..start + 4) {
            prefix.copy_from_slice(&length.to_be_bytes());
        }
        self.missing = self.missing.wrapping_sub(1);
        Ok(())
    }

    /// Ends the row.
    ///
    /// # Errors
    ///
    /// A protocol error when there were more or fewer values than columns.
    pub fn finish(mut self) -> Result<DataRow> {
        self.check()?;
        Ok(DataRow::from_checked(mem::take(&mut self.body).into()))
    }

    /// Ends the row and keeps the builder; [`restart`](Self::restart) begins the next.
    ///
    /// # Errors
    ///
    /// As of [`finish`](Self::finish).
    pub fn take(&mut self) -> Result<DataRow> {
        self.check()?;
        // A second row without a restart would have no count.
        self.missing = usize::MAX;
        if self.body.len() > SMALL {
            let mut body = mem::take(&mut self.body);
            body.shrink_to_fit();
            return Ok(DataRow::from_checked(Bytes::from(body)));
        }
        if self.block.capacity() < self.body.len() {
            self.block.reserve(BLOCK);
        }
        self.block.extend_from_slice(&self.body);
        Ok(DataRow::from_checked(self.block.split().freeze()))
    }

    fn check(&self) -> Result<()> {
        if self.missing != 0 {
            return Err(Error::protocol("a row has another number of values than columns", Outcome::Unknown));
        }
        Ok(())
    }
}

/// Shows sizes only: the values are the user's.
impl fmt::Debug for DataRowBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, body, missing: _, block: _ } = self;
        f.debug_struct("DataRowBuilder").field("values", count).field("bytes", &body.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_can_be_parsed() {
        let mut builder = DataRowBuilder::with_capacity(3, 10).unwrap();
        let abc = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"abc");
            Ok(())
        };
        builder.push(abc).unwrap();
        builder.push_null();
        builder.push(|_| Ok(())).unwrap();
        let row = builder.finish().unwrap();
        let parsed = DataRow::parse(row.as_bytes().clone()).unwrap();
        assert_eq!(parsed.values().collect::<Vec<_>>(), [Some(&b"abc"[..]), None, Some(b"")]);
    }

    #[test]
    fn the_number_of_values_must_be_that_of_columns() {
        assert!(DataRowBuilder::new(1).unwrap().finish().is_err());
        let mut builder = DataRowBuilder::new(0).unwrap();
        builder.push_null();
        assert!(builder.finish().is_err());
        assert!(DataRowBuilder::new(70_000).unwrap_err().is_limit());
    }

    #[test]
    fn rows_of_one_builder_are_apart() {
        let mut builder = DataRowBuilder::new(1).unwrap();
        let sizes = [0, 10, SMALL - 6, SMALL, 5 * BLOCK, 1, BLOCK, 700].repeat(9);
        let rows: Vec<_> = sizes
            .iter()
            .enumerate()
            .map(|(index, size)| {
                builder.restart(*size);
                builder
                    .push(|out| {
                        out.resize(out.len() + size, index as u8);
                        Ok(())
                    })
                    .unwrap();
                builder.take().unwrap()
            })
            .collect();
        for (index, (row, size)) in rows.iter().zip(sizes).enumerate() {
            assert_eq!(row.values().collect::<Vec<_>>(), [Some(&vec![index as u8; size][..])]);
        }
        assert!(builder.take().is_err(), "no row was begun");
    }

    #[test]
    fn debug_shows_no_value() {
        let mut builder = DataRowBuilder::new(1).unwrap();
        let secret = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"secret");
            Ok(())
        };
        builder.push(secret).unwrap();
        assert_eq!(format!("{builder:?}"), "DataRowBuilder { values: 1, bytes: 12 }");
    }

    #[test]
    fn a_closure_that_takes_bytes_away_is_an_error() {
        let mut builder = DataRowBuilder::new(1).unwrap();
        let clear = |out: &mut Vec<u8>| {
            out.clear();
            Ok(())
        };
        assert!(builder.push(clear).is_err());
    }
}
