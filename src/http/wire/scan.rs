//! Where values end in a response that is still arriving.
//!
//! Both scanners remember how far they looked, so that a value in a thousand chunks is still looked at once.

use std::mem;

use super::{find, raw_row::Span};

/// How deep the values that are skipped or parsed whole may nest; far more than any response does.
const MAX_DEPTH: usize = 64;

/// What is wrong with the response, as the end of a sentence.
pub(super) type Malformed = &'static str;

/// Finds the end of one JSON value of any kind.
#[derive(Debug, Default)]
pub(super) struct ValueScan {
    at: usize,
    depth: usize,
    in_string: bool,
}

impl ValueScan {
    /// Returns the length of the value that `bytes` starts with, or `None` while its end has not arrived.
    ///
    /// Brackets are only counted: whoever parses the value finds the rest of its faults.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        while let Some(&byte) = bytes.get(self.at) {
            if self.in_string {
                match closing_quote(bytes, &mut self.at, &mut false) {
                    Some(quote) => self.at = quote + 1,
                    None => return Ok(None),
                }
                self.in_string = false;
                if self.depth == 0 {
                    return Ok(Some(self.at));
                }
                continue;
            }
            match byte {
                b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    return if self.at == 0 { Err("a value is missing") } else { Ok(Some(self.at)) };
                }
                b'"' if self.depth == 0 && self.at > 0 => return Err("a string follows a value without a comma"),
                b'"' => self.in_string = true,
                b'[' | b'{' => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err("its values nest too deeply");
                    }
                }
                b']' | b'}' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.at += 1;
                        return Ok(Some(self.at));
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Ok(None)
    }
}

/// Finds the end of one row, an array of strings and nulls, and where its values are.
#[derive(Debug, Default)]
pub(super) struct RowScan {
    at: usize,
    expects: Expects,
    values: Vec<Span>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Expects {
    #[default]
    Row,
    ValueOrEnd,
    Value,
    /// The rest of the string that starts here, behind its quote.
    Rest {
        start: usize,
        escaped: bool,
    },
    CommaOrEnd,
}

impl RowScan {
    /// Returns the length of the row that `bytes` starts with, or `None` while its end has not arrived.
    ///
    /// A row of more than `columns` values is found out at once, so that memory is only spent on what was announced.
    pub(super) fn find(&mut self, bytes: &[u8], columns: usize) -> Result<Option<usize>, Malformed> {
        while let Some(&byte) = bytes.get(self.at) {
            match (self.expects, byte) {
                (Expects::Rest { start, mut escaped }, _) => {
                    let Some(quote) = closing_quote(bytes, &mut self.at, &mut escaped) else {
                        self.expects = Expects::Rest { start, escaped };
                        return Ok(None);
                    };
                    self.push(Span::string(start, quote, escaped)?, columns)?;
                    self.at = quote + 1;
                    // As servers write it, the next string follows at once.
                    if bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b",\"")) {
                        self.at += 2;
                        self.expects = Expects::Rest { start: self.at, escaped: false };
                    }
                    continue;
                }
                (Expects::Row, b'[') => {
                    self.values.reserve_exact(columns);
                    self.expects = Expects::ValueOrEnd;
                }
                (Expects::Row, b'{') => return Err("its rows are objects: the server ignored Neon-Array-Mode"),
                (Expects::Row, _) => return Err("a row is no array"),
                (_, b' ' | b'\t' | b'\r' | b'\n') => {}
                (Expects::ValueOrEnd | Expects::CommaOrEnd, b']') => {
                    self.at += 1;
                    return if self.values.len() == columns {
                        Ok(Some(self.at))
                    } else {
                        Err("a row has fewer values than there are columns")
                    };
                }
                (Expects::CommaOrEnd, b',') => self.expects = Expects::Value,
                (Expects::ValueOrEnd | Expects::Value, b'"') => {
                    self.expects = Expects::Rest { start: self.at + 1, escaped: false };
                }
                (Expects::ValueOrEnd | Expects::Value, b'n') => {
                    let Some(word) = bytes.get(self.at..self.at + 4) else { return Ok(None) };
                    if word != b"null" {
                        return Err("a value is neither a string nor null");
                    }
                    self.push(Span::NULL, columns)?;
                    self.at += 4;
                    continue;
                }
                (Expects::ValueOrEnd | Expects::Value, b'0'..=b'9' | b'-' | b't' | b'f' | b'[' | b'{') => {
                    return Err("a value is not Postgres's text: the server ignored Neon-Raw-Text-Output");
                }
                (Expects::ValueOrEnd | Expects::Value | Expects::CommaOrEnd, _) => {
                    return Err("a row is no JSON array");
                }
            }
            self.at += 1;
        }
        Ok(None)
    }

    /// Returns where the values of the row are that was found, and begins with the next.
    pub(super) fn take_values(&mut self) -> Vec<Span> {
        mem::take(self).values
    }

    /// Takes back the memory of an earlier row's places; between two rows.
    pub(super) fn recycle(&mut self, mut values: Vec<Span>) {
        if matches!(self.expects, Expects::Row) {
            values.clear();
            self.values = values;
        }
    }

    fn push(&mut self, value: Span, columns: usize) -> Result<(), Malformed> {
        if self.values.len() == columns {
            return Err("a row has more values than there are columns");
        }
        self.values.push(value);
        self.expects = Expects::CommaOrEnd;
        Ok(())
    }
}

/// Returns where a string's closing quote is; `at` stands behind its opening quote or further in where an earlier look ended,
/// and is moved to where the next look starts. An escape on the way is noted.
fn closing_quote(bytes: &[u8], at: &mut usize, escaped: &mut bool) -> Option<usize> {
    while let Some(found) = bytes.get(*at..).and_then(find::quote_or_backslash) {
        let found = *at + found;
        if bytes.get(found) == Some(&b'"') {
            return Some(found);
        }
        *escaped = true;
        if found + 1 == bytes.len() {
            // The escaped byte is still to come, and must not be taken for the closing quote.
            *at = found;
            return None;
        }
        *at = found + 2;
    }
    *at = bytes.len().max(*at);
    None
}
