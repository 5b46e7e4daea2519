use std::{mem, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Map, Value};

use super::{
    Event, Field, RawRow, error_from_response,
    scan::{Malformed, RowScan, ValueScan},
};
use crate::error::{Error, Outcome, Result};

/// How much of unknown keys is kept, in case they turn out to be an error's.
const MAX_ERROR: usize = 256 * 1024;

const ALREADY_FAILED: Malformed = "an earlier part of it could not be read";

/// From which size, in bytes, a row gets its memory for itself.
const LARGE_ROW: usize = 128 * 1024;

/// Reads the body of a 200 response while it arrives: of a single statement, or of a batch.
///
/// Bytes go in with [`push`](Self::push), events come out of [`next`](Self::next). What is kept between is one row, or
/// another value that has not arrived whole, and what was pushed after it. Values are not copied. Rows that were read may go
/// back with [`recycle`](Self::recycle).
///
/// It takes `fields` before `rows`, as every known server sends them, and otherwise any order of keys; unknown keys are
/// skipped.
///
/// # Example
///
/// ```
/// use pgferry::http::wire::{Event, ResponseDecoder};
///
/// let mut decoder = ResponseDecoder::new();
/// decoder.push(br#"{"fields":[{"name":"n","dataTypeID":23}],"rows":[["1"],["2"]"#.as_slice().into());
/// assert!(matches!(decoder.next()?, Some(Event::Fields(fields)) if fields[0].name == "n"));
/// for expected in ["1", "2"] {
///     let Some(Event::Row(row)) = decoder.next()? else { panic!("no row") };
///     assert_eq!(row.get(0)?.as_deref(), Some(expected));
/// }
/// assert!(decoder.next()?.is_none());
///
/// decoder.push(br#"],"command":"SELECT","rowCount":2,"rowAsArray":true}"#.as_slice().into());
/// assert!(matches!(decoder.next()?, Some(Event::Complete { row_count: Some(2), .. })));
/// decoder.finish()?;
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ResponseDecoder {
    buffer: BytesMut,
    at: At,
    value: ValueScan,
    row: RowScan,
    /// The result that is being read: the only one, or one of a batch.
    result: PartialResult,
    /// Whether the response is `{"results": [ … ]}`.
    batch: bool,
    /// Whether the object being read is one of those results.
    nested: bool,
    /// Top-level keys that no result has, which an error's would be.
    others: Map<String, Value>,
    others_size: usize,
    /// Comes after the event that was given last.
    pending: Option<Event>,
}

#[derive(Debug, Default)]
struct PartialResult {
    fields: Option<Arc<[Field]>>,
    rows: bool,
    command: Option<String>,
    row_count: Option<u64>,
}

/// What comes next in the response.
#[derive(Debug, Default)]
enum At {
    #[default]
    Document,
    FirstMember,
    Member,
    Colon(Key),
    Value(Key),
    FirstRow,
    Row,
    AfterRow,
    FirstResult,
    Result,
    AfterResult,
    AfterMember,
    End,
    Failed,
}

#[derive(Debug)]
enum Key {
    Fields,
    Rows,
    Command,
    RowCount,
    Results,
    Other(String),
}

/// An error's body that comes where a status can no longer be sent.
#[derive(Deserialize)]
struct LateError {
    /// The status that the response would have had.
    status: u16,
}

/// What a step came to.
enum Step {
    Event(Event),
    /// On to the next step.
    On,
    /// Not without more bytes.
    Starved,
}

impl ResponseDecoder {
    /// Makes a decoder for one response.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, chunk: Bytes) {
        self.buffer.extend_from_slice(&chunk);
    }

    /// Returns the next event, or `None` until more bytes are pushed.
    ///
    /// # Errors
    ///
    /// * The body is an error's although the status was 200, or ends in one behind rows, as pgferry's own gateway sends it when a
    ///   query fails late; the outcome is as [`error_from_response`] says.
    /// * The body is malformed: a protocol error of unknown outcome, since the statement has probably run. The decoder is
    ///   of no use afterwards.
    #[expect(clippy::should_implement_trait, reason = "None means only that bytes are missing")]
    pub fn next(&mut self) -> Result<Option<Event>> {
        if let Some(event) = self.pending.take() {
            return Ok(Some(event));
        }
        loop {
            match self.step() {
                Ok(Step::Event(event)) => return Ok(Some(event)),
                Ok(Step::On) => {}
                Ok(Step::Starved) => return Ok(None),
                Err(error) => {
                    self.at = At::Failed;
                    return Err(error);
                }
            }
        }
    }

    /// Takes back a row that was read, so that the next needs no memory of its own.
    pub fn recycle(&mut self, row: RawRow) {
        self.row.recycle(row.into_values());
    }

    /// Checks that the response, of which no more comes, was whole.
    ///
    /// # Errors
    ///
    /// It was cut short; the outcome is unknown.
    pub fn finish(&self) -> Result<()> {
        match self.at {
            At::End => Ok(()),
            _ => Err(Error::closed("the response ended in its middle", Outcome::Unknown)),
        }
    }

    fn step(&mut self) -> Result<Step> {
        let space = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        // Inside a value that was begun, its own scanner knows which spaces count; a value never starts with one.
        if space > 0 {
            self.buffer.advance(space);
        }
        let Some(&byte) = self.buffer.first() else {
            return match self.at {
                At::Failed => Err(malformed(ALREADY_FAILED)),
                _ => Ok(Step::Starved),
            };
        };
        match (mem::replace(&mut self.at, At::Failed), byte) {
            (At::Document, b'{') => self.skip(At::FirstMember),
            (At::Document, _) => Err(self.not_an_object()),
            (At::FirstMember | At::AfterMember, b'}') => {
                self.buffer.advance(1);
                self.end_object()
            }
            (At::FirstMember, b'"') => self.key(At::FirstMember),
            (At::Member, b'"') => self.key(At::Member),
            (At::AfterMember, b',') => self.skip(At::Member),
            (At::Colon(key), b':') => self.skip(At::Value(key)),
            (At::Value(key), _) => self.value(key, byte),
            (At::FirstRow | At::AfterRow, b']') => self.skip(At::AfterMember),
            (At::AfterRow, b',') => self.skip(At::Row),
            (At::AfterRow, b'{') => self.late_error(),
            (at @ (At::FirstRow | At::Row), _) => self.row(at),
            (At::FirstResult | At::AfterResult, b']') => {
                self.nested = false;
                self.skip(At::AfterMember)
            }
            (At::AfterResult, b',') => self.skip(At::Result),
            (At::FirstResult | At::Result, b'{') => {
                self.nested = true;
                self.skip(At::FirstMember)
            }
            (At::End, _) => Err(malformed("bytes follow its end")),
            (At::Failed, _) => Err(malformed(ALREADY_FAILED)),
            (At::FirstMember | At::Member, _) => Err(malformed("an object's key is no string")),
            (At::Colon(_), _) => Err(malformed("a key has no value")),
            (At::AfterMember | At::AfterRow | At::AfterResult, _) => Err(malformed("a comma is missing")),
            (At::FirstResult | At::Result, _) => Err(malformed("a result is no object")),
        }
    }

    fn skip(&mut self, at: At) -> Result<Step> {
        self.buffer.advance(1);
        self.at = at;
        Ok(Step::On)
    }

    fn key(&mut self, at: At) -> Result<Step> {
        let Some(text) = self.take_value()? else {
            self.at = at;
            return Ok(Step::Starved);
        };
        let name: String = parse(&text, "an object's key")?;
        self.at = At::Colon(match name.as_str() {
            "fields" => Key::Fields,
            "rows" => Key::Rows,
            "command" => Key::Command,
            "rowCount" => Key::RowCount,
            "results" if !self.nested => Key::Results,
            _ => Key::Other(name),
        });
        Ok(Step::On)
    }

    fn value(&mut self, key: Key, byte: u8) -> Result<Step> {
        match (&key, byte) {
            (Key::Rows, b'[') if self.result.rows => return Err(malformed("a result has `rows` twice")),
            (Key::Rows, b'[') => {
                self.result.rows = true;
                return self.skip(At::FirstRow);
            }
            (Key::Results, b'[') if self.batch || self.result.is_begun() => {
                return Err(malformed("it is both a result and a batch of results"));
            }
            (Key::Results, b'[') => {
                self.batch = true;
                return self.skip(At::FirstResult);
            }
            (Key::Rows | Key::Results, _) => return Err(malformed("`rows` or `results` is no array")),
            _ => {}
        }
        let Some(text) = self.take_value()? else {
            self.at = At::Value(key);
            return Ok(Step::Starved);
        };
        self.at = At::AfterMember;
        match key {
            Key::Fields if self.result.fields.is_some() => Err(malformed("a result has `fields` twice")),
            Key::Fields => {
                let fields: Arc<[Field]> = parse::<Vec<Field>>(&text, "`fields`")?.into();
                self.result.fields = Some(fields.clone());
                Ok(Step::Event(Event::Fields(fields)))
            }
            Key::Command => {
                self.result.command = Some(parse::<Option<String>>(&text, "`command`")?.unwrap_or_default());
                Ok(Step::On)
            }
            Key::RowCount => {
                self.result.row_count = parse(&text, "`rowCount`")?;
                Ok(Step::On)
            }
            Key::Other(name) if !self.nested && self.others_size + text.len() <= MAX_ERROR => {
                self.others_size += text.len();
                self.others.insert(name, parse(&text, "a value")?);
                Ok(Step::On)
            }
            Key::Other(_) | Key::Rows | Key::Results => {
                parse::<IgnoredAny>(&text, "a value")?;
                Ok(Step::On)
            }
        }
    }

    fn row(&mut self, at: At) -> Result<Step> {
        let Some(fields) = &self.result.fields else {
            return Err(malformed("its rows come before their fields"));
        };
        let Some(length) = self.row.find(&self.buffer, fields.len()).map_err(malformed)? else {
            self.at = at;
            return Ok(Step::Starved);
        };
        self.at = At::AfterRow;
        let values = self.row.take_values();
        Ok(Step::Event(Event::Row(RawRow::new(self.take_row(length), values))))
    }

    /// Takes the row's bytes; what follows a large row does not keep it in memory.
    fn take_row(&mut self, length: usize) -> Bytes {
        let rest = self.buffer.get(length..).unwrap_or_default();
        if length < LARGE_ROW || rest.len() > length {
            return self.buffer.split_to(length).freeze();
        }
        let rest = BytesMut::from(rest);
        let mut row = mem::replace(&mut self.buffer, rest);
        row.truncate(length);
        row.freeze()
    }

    /// Reads the error that a gateway sends in the place of the rest, once it has sent rows of a query that then fails.
    fn late_error(&mut self) -> Result<Step> {
        let Some(text) = self.take_value()? else {
            self.at = At::AfterRow;
            return Ok(Step::Starved);
        };
        let status = parse::<LateError>(&text, "an error behind rows")?.status;
        Err(error_from_response(status, &text))
    }

    fn end_object(&mut self) -> Result<Step> {
        let PartialResult { fields, rows, command, row_count } = mem::take(&mut self.result);
        let is_result = fields.is_some() || rows || command.is_some();
        self.at = match self.nested {
            true => At::AfterResult,
            false => At::End,
        };
        if self.batch && !self.nested {
            return Ok(Step::On);
        }
        if !is_result {
            return Err(match self.nested {
                true => malformed("an entry of `results` is no result"),
                false => {
                    let body = Value::Object(mem::take(&mut self.others)).to_string();
                    error_from_response(200, body.as_bytes())
                }
            });
        }
        let complete = Event::Complete { command: command.unwrap_or_default(), row_count };
        if fields.is_some() {
            return Ok(Step::Event(complete));
        }
        self.pending = Some(complete);
        Ok(Step::Event(Event::Fields(Arc::default())))
    }

    /// Takes the JSON value that the buffer starts with, once it is whole.
    fn take_value(&mut self) -> Result<Option<BytesMut>> {
        let Some(length) = self.value.find(&self.buffer).map_err(malformed)? else { return Ok(None) };
        self.value = ValueScan::default();
        Ok(Some(self.buffer.split_to(length)))
    }

    fn not_an_object(&self) -> Error {
        let start = self.buffer.get(..self.buffer.len().min(60)).unwrap_or_default();
        malformed("it is no JSON object").with_source(format!(
            "the response starts with {:?}; is the URL that of a `/sql` endpoint?",
            String::from_utf8_lossy(start)
        ))
    }
}

impl PartialResult {
    fn is_begun(&self) -> bool {
        self.fields.is_some() || self.rows || self.command.is_some()
    }
}

fn parse<T: DeserializeOwned>(text: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(text).map_err(|error| {
        Error::protocol(format!("the response cannot be read: {what} is malformed"), Outcome::Unknown)
            .with_source(error)
    })
}

fn malformed(why: Malformed) -> Error {
    Error::protocol(format!("the response cannot be read: {why}"), Outcome::Unknown)
}

#[cfg(test)]
mod tests;
