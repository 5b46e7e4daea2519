use std::{borrow::Cow, fmt, mem};

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
        unescape(self.raw, out).ok_or_else(no_json_string)
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
        let mut bytes = mem::take(scratch).into_bytes();
        bytes.clear();
        *scratch = self.unescaped(bytes)?;
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
        self.unescaped(Vec::with_capacity(self.raw.len())).map(Cow::Owned)
    }

    fn unescaped(self, mut empty: Vec<u8>) -> Result<String> {
        unescape(self.raw, &mut empty).ok_or_else(no_json_string)?;
        String::from_utf8(empty).map_err(|_| no_json_string())
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
