use std::{borrow::Cow, fmt};

use super::unescape::unescape;
use crate::error::{Error, Outcome, Result};

/// The text of a value as it arrived: a JSON string without its quotes.
///
/// Where nothing in it is escaped, reading it copies nothing.
///
/// # Example
///
/// ```
/// use pgferry::http::wire::{Event, ResponseDecoder};
///
/// let mut decoder = ResponseDecoder::new();
/// decoder.push(br#"{"fields":[{"name":"a"},{"name":"b"}],"rows":[["plain","a \"word\""]"#.as_slice().into());
/// decoder.next()?;
/// let Some(Event::Row(row)) = decoder.next()? else { panic!("no row") };
/// let mut out = Vec::new();
/// for text in row.texts()?.flatten() {
///     text.append_to(&mut out)?;
/// }
/// assert_eq!(out, b"plaina \"word\"");
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct RawText<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> RawText<'a> {
    pub(super) fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// Appends the text to `out`.
    ///
    /// # Errors
    ///
    /// It is no valid JSON string, which is a fault of the server's; what was appended until then has no meaning.
    pub fn append_to(self, out: &mut Vec<u8>) -> Result<()> {
        if !self.escaped {
            out.extend_from_slice(self.raw.as_bytes());
            return Ok(());
        }
        unescape(self.raw, |piece| out.extend_from_slice(piece.as_bytes())).ok_or_else(no_json_string)
    }

    /// Returns the text; `scratch` is overwritten where something in it is escaped.
    ///
    /// # Errors
    ///
    /// It is no valid JSON string, which is a fault of the server's.
    pub fn read<'s>(self, scratch: &'s mut String) -> Result<&'s str>
    where
        'a: 's,
    {
        if !self.escaped {
            return Ok(self.raw);
        }
        scratch.clear();
        unescape(self.raw, |piece| scratch.push_str(piece)).ok_or_else(no_json_string)?;
        Ok(scratch)
    }

    /// Returns the text, borrowed where nothing in it is escaped.
    ///
    /// # Errors
    ///
    /// It is no valid JSON string, which is a fault of the server's.
    pub fn to_cow(self) -> Result<Cow<'a, str>> {
        if !self.escaped {
            return Ok(Cow::Borrowed(self.raw));
        }
        let mut text = String::with_capacity(self.raw.len());
        unescape(self.raw, |piece| text.push_str(piece)).ok_or_else(no_json_string)?;
        Ok(Cow::Owned(text))
    }
}

/// A value may be anybody's secret, so that only its size is shown.
impl fmt::Debug for RawText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { raw, escaped } = self;
        f.debug_struct("RawText").field("bytes", &raw.len()).field("escaped", escaped).finish()
    }
}

fn no_json_string() -> Error {
    Error::protocol("a value in the response is no JSON string", Outcome::Unknown)
}
