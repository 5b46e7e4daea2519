use std::{borrow::Cow, fmt, ops::Range, str::Utf8Error};

use bytes::Bytes;

use super::{RawText, scan::Malformed};
use crate::error::{Error, Outcome, Result};

/// A row of Postgres text values, which stay where they arrived in the response's bytes.
///
/// A clone is cheap, and a row keeps the chunk of the response alive that it came in.
#[derive(Clone)]
pub struct RawRow {
    bytes: Bytes,
    values: Vec<Span>,
}

impl RawRow {
    pub(super) fn new(bytes: Bytes, values: Vec<Span>) -> Self {
        Self { bytes, values }
    }

    /// Returns how many values the row has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether the row has no values, as of `SELECT FROM t`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns how many bytes the row takes in the response; its values take no more.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the value of a column, counted from 0: `None` for SQL's null.
    ///
    /// The text is borrowed from the response where nothing in it was escaped.
    ///
    /// # Errors
    ///
    /// * The row has no such column.
    /// * The value is no valid JSON string, which is a fault of the server's.
    pub fn get(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        match self.values.get(index) {
            Some(value) => self.text(*value),
            None => Err(Error::value(
                format!("the row has no column {index}: it has {} columns, counted from 0", self.len()),
                Outcome::Unknown,
            )),
        }
    }

    /// Returns the values in order, each as [`get`](Self::get) does.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Result<Option<Cow<'_, str>>>> {
        self.values.iter().map(|value| self.text(*value))
    }

    /// Returns the values in order, still as they arrived: the way to all of them that copies least.
    ///
    /// # Errors
    ///
    /// The row is not UTF-8, which is a fault of the server's.
    pub fn texts(&self) -> Result<impl ExactSizeIterator<Item = Option<RawText<'_>>>> {
        let row = str::from_utf8(&self.bytes).map_err(not_utf8)?;
        Ok(self.values.iter().map(move |value| {
            // The scanner found quotes at both ends.
            value.range().map(|range| RawText::new(row.get(range).unwrap_or_default(), value.escaped))
        }))
    }

    /// Gives up the row for the memory of its values' places.
    pub(super) fn into_values(self) -> Vec<Span> {
        self.values
    }

    fn text(&self, value: Span) -> Result<Option<Cow<'_, str>>> {
        let Some(range) = value.range() else { return Ok(None) };
        let raw = str::from_utf8(self.bytes.get(range).unwrap_or_default()).map_err(not_utf8)?;
        RawText::new(raw, value.escaped).to_cow().map(Some)
    }
}

fn not_utf8(error: Utf8Error) -> Error {
    Error::protocol("a value in the response is not UTF-8", Outcome::Unknown).with_source(error)
}

/// Values may be anybody's secrets, so that only their number is shown.
impl fmt::Debug for RawRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes: _, values } = self;
        f.debug_struct("RawRow").field("values", &values.len()).finish()
    }
}

/// Where in a row's bytes a value is, quotes not included; small, because a response has millions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u32,
    end: u32,
    escaped: bool,
}

impl Span {
    /// No string ends before it starts.
    pub(super) const NULL: Self = Self { start: 1, end: 0, escaped: false };

    pub(super) fn string(start: usize, end: usize, escaped: bool) -> Result<Self, Malformed> {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Self { start, end, escaped }),
            _ => Err("a row is larger than 4 GiB"),
        }
    }

    fn range(self) -> Option<Range<usize>> {
        (self.end >= self.start).then_some(self.start as usize..self.end as usize)
    }
}
