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
#[derive(Debug)]
pub struct DataRowBuilder {
    body: Vec<u8>,
    missing: usize,
}

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
        let mut body = Vec::with_capacity(2 + 4 * columns + bytes);
        body.extend_from_slice(&count.to_be_bytes());
        Ok(Self { body, missing: columns })
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
    pub fn finish(self) -> Result<DataRow> {
        if self.missing != 0 {
            return Err(Error::protocol("a row has another number of values than columns", Outcome::Unknown));
        }
        Ok(DataRow::from_checked(self.body.into()))
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
    fn a_closure_that_takes_bytes_away_is_an_error() {
        let mut builder = DataRowBuilder::new(1).unwrap();
        let clear = |out: &mut Vec<u8>| {
            out.clear();
            Ok(())
        };
        assert!(builder.push(clear).is_err());
    }
}
