use std::fmt;

use bytes::Bytes;

use super::{DataRowBuilder, reader::broken};
use crate::error::Result;

/// A row as in the body of a `DataRow` message (manual, section 55.7): a 16-bit count, then for each value a 32-bit length,
/// -1 for null, and its bytes.
///
/// The bytes are checked once; cloning shares them.
///
/// # Example
///
/// ```
/// use pgferry::wire::DataRow;
///
/// let row = DataRow::parse(b"\x00\x02\x00\x00\x00\x01a\xff\xff\xff\xff".as_slice().into())?;
/// assert_eq!(row.values().collect::<Vec<_>>(), [Some(&b"a"[..]), None]);
///
/// assert!(DataRow::parse(b"\x00\x02\x00\x00\x00\x01a".as_slice().into()).is_err());
/// # Ok::<_, pgferry::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DataRow {
    body: Bytes,
}

impl DataRow {
    /// Checks that the count and the lengths fit the bytes.
    ///
    /// # Errors
    ///
    /// A protocol error when they do not.
    pub fn parse(body: Bytes) -> Result<Self> {
        let short = || broken("DataRow", "it is too short");
        let (count, mut rest) = body.split_first_chunk().ok_or_else(short)?;
        for _ in 0..u16::from_be_bytes(*count) {
            (_, rest) = split_value(rest).ok_or_else(short)?;
        }
        if !rest.is_empty() {
            return Err(broken("DataRow", "there is more than its values"));
        }
        Ok(Self { body })
    }

    /// Takes a body whose count and lengths are known to fit.
    pub(super) fn from_checked(body: Bytes) -> Self {
        Self { body }
    }

    /// Makes a row value by value.
    ///
    /// # Errors
    ///
    /// When there are more than 65535 columns.
    pub fn builder(columns: usize) -> Result<DataRowBuilder> {
        DataRowBuilder::new(columns)
    }

    /// Returns how many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values().remaining
    }

    /// Returns whether it is a row without values, as `SELECT FROM t` gives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the values in order, `None` for null.
    #[must_use]
    pub fn values(&self) -> Values<'_> {
        match self.body.split_first_chunk() {
            Some((count, rest)) => Values { rest, remaining: usize::from(u16::from_be_bytes(*count)) },
            None => Values { rest: &[], remaining: 0 },
        }
    }

    /// Returns the message's body.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.body
    }
}

/// Shows sizes only: the values are the user's.
impl fmt::Debug for DataRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body } = self;
        f.debug_struct("DataRow").field("values", &self.len()).field("bytes", &body.len()).finish()
    }
}

impl<'a> IntoIterator for &'a DataRow {
    type Item = Option<&'a [u8]>;
    type IntoIter = Values<'a>;

    fn into_iter(self) -> Values<'a> {
        self.values()
    }
}

/// The values of a [`DataRow`] in order.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    rest: &'a [u8],
    remaining: usize,
}

impl<'a> Iterator for Values<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        let (value, rest) = split_value(self.rest)?;
        self.rest = rest;
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Values<'_> {}

fn split_value(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    match i32::from_be_bytes(*length) {
        -1 => Some((None, rest)),
        length => {
            let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            Some((Some(value), rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_truncation_is_an_error() {
        let whole = b"\x00\x03\x00\x00\x00\x02ab\xff\xff\xff\xff\x00\x00\x00\x00";
        let row = DataRow::parse(Bytes::from_static(whole)).unwrap();
        assert_eq!(row.len(), 3);
        assert_eq!(row.values().collect::<Vec<_>>(), [Some(&b"ab"[..]), None, Some(b"")]);
        for length in 0..whole.len() {
            assert!(DataRow::parse(Bytes::copy_from_slice(&whole[..length])).is_err(), "{length}");
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_errors() {
        for length in [-2_i32, i32::MIN, i32::MAX] {
            let mut body = vec![0, 1];
            body.extend_from_slice(&length.to_be_bytes());
            body.push(b'a');
            assert!(DataRow::parse(body.into()).is_err(), "{length}");
        }
        assert!(DataRow::parse(Bytes::from_static(b"\x00\x00trailing")).is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        let row = DataRow::parse(Bytes::from_static(b"\x00\x01\x00\x00\x00\x06secret")).unwrap();
        assert!(!format!("{row:?}").contains("secret") && !format!("{row:?}").contains("115"));
    }
}
