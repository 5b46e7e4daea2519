use std::{mem, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use pgferry::wire::{Column, DataRow};
use tokio::sync::mpsc;

use super::{
    array,
    fault::Fault,
    value_kind::{Scalar, ValueKind},
};

/// The form of a result's rows, which the request chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    /// Postgres's own text for every value, instead of JSON values where there is one.
    pub(super) raw: bool,
    /// Rows as arrays, instead of objects with the columns' names.
    pub(super) array: bool,
}

/// How much of a response is held back, in bytes: a query that fails before has a status of its own.
const HELD: usize = 1024 * 1024;

/// How much of a response is gathered before it is sent on, in bytes.
const PART: usize = 64 * 1024;

/// A response's body while it is written, bounded before each row and after each other part.
pub(super) struct Output {
    body: BytesMut,
    /// How much of it has been sent, in bytes.
    sent: usize,
    limit: usize,
    parts: mpsc::Sender<Bytes>,
}

impl Output {
    /// Makes an empty one of at most so many bytes, which sends what is ready of a large response.
    pub(super) fn new(limit: usize, parts: mpsc::Sender<Bytes>) -> Self {
        Self { body: BytesMut::new(), sent: 0, limit, parts }
    }

    /// Returns what was not sent.
    pub(super) fn into_rest(self) -> Bytes {
        self.body.freeze()
    }

    /// Sends on what there is, where that is much, and waits until the client has taken what was sent before.
    pub(super) async fn send(&mut self) -> Result<(), Fault> {
        let enough = if self.sent == 0 { HELD } else { PART };
        if self.body.len() < enough {
            return Ok(());
        }
        self.sent += self.body.len();
        let part = mem::replace(&mut self.body, BytesMut::with_capacity(PART + PART / 8)).freeze();
        // It is dropped together with who receives, so this never fails.
        self.parts.send(part).await.map_err(|_| Fault::unreadable_response())
    }

    /// Checks that so many bytes more may be written, or kept until they are.
    pub(super) fn reserve(&self, bytes: usize) -> Result<(), Fault> {
        match (self.sent + self.body.len()).checked_add(bytes) {
            Some(length) if length <= self.limit => Ok(()),
            _ => Err(Fault::response_too_large(self.limit)),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn raw(&mut self, text: &str) -> Result<(), Fault> {
        self.reserve(text.len())?;
        self.body.put_slice(text.as_bytes());
        Ok(())
    }

    /// Writes `{"fields":[…],"rows":[`.
    pub(super) fn begin_result(&mut self, columns: &[Column]) -> Result<(), Fault> {
        self.raw(r#"{"fields":["#)?;
        for (index, column) in columns.iter().enumerate() {
            let Column { name, table_oid, column_id, type_oid, type_size, type_modifier } = column;
            self.raw(if index == 0 { r#"{"name":"# } else { r#",{"name":"# })?;
            string(&mut self.body, name);
            self.raw(&format!(
                r#","dataTypeID":{type_oid},"tableID":{table_oid},"columnID":{column_id},"dataTypeSize":{type_size},"dataTypeModifier":{type_modifier},"format":"text"}}"#
            ))?;
        }
        self.raw(r#"],"rows":["#)
    }

    /// Writes what follows the rows, from the command's tag: its first word, and the count where it has one.
    pub(super) fn end_result(&mut self, tag: &str, mode: Mode) -> Result<(), Fault> {
        let mut words = tag.split(' ');
        let command = words.next().unwrap_or_default();
        // An INSERT's tag has the OID of its row, always 0 today, before the count.
        let count = if command == "INSERT" { words.nth(1) } else { words.next() };
        self.raw(r#"],"command":"#)?;
        string(&mut self.body, command);
        match count.and_then(|count| count.parse::<u64>().ok()) {
            Some(count) => self.raw(&format!(r#","rowCount":{count}"#))?,
            None => self.raw(r#","rowCount":null"#)?,
        }
        self.raw(&format!(r#","rowAsArray":{}}}"#, mode.array))
    }
}

/// Writes the rows of one result.
pub(super) struct RowWriter {
    mode: Mode,
    /// For rows as objects: each column's name as a JSON string with its colon.
    keys: Vec<BytesMut>,
    kinds: Vec<ValueKind>,
    first: bool,
}

impl RowWriter {
    pub(super) fn new(columns: &Arc<[Column]>, mode: Mode, kinds: Vec<ValueKind>) -> Self {
        let key = |column: &Column| {
            let mut key = BytesMut::new();
            string(&mut key, &column.name);
            key.put_u8(b':');
            key
        };
        let keys = if mode.array { Vec::new() } else { columns.iter().map(key).collect() };
        Self { mode, keys, kinds, first: true }
    }

    pub(super) fn write(&mut self, out: &mut Output, row: &DataRow) -> Result<(), Fault> {
        out.reserve(row.as_bytes().len())?;
        let body = &mut out.body;
        if !self.first {
            body.put_u8(b',');
        }
        self.first = false;
        body.put_u8(if self.mode.array { b'[' } else { b'{' });
        for (index, value) in row.values().enumerate() {
            if index > 0 {
                body.put_u8(b',');
            }
            if let Some(key) = self.keys.get(index) {
                body.put_slice(key);
            }
            match value {
                None => body.put_slice(b"null"),
                Some(value) => {
                    let text = str::from_utf8(value).map_err(|_| Fault::not_utf8())?;
                    match self.kinds.get(index) {
                        Some(kind) if !self.mode.raw => parsed(body, text, *kind),
                        _ => string(body, text),
                    }
                }
            }
        }
        body.put_u8(if self.mode.array { b']' } else { b'}' });
        out.reserve(0)
    }
}

fn parsed(out: &mut BytesMut, text: &str, kind: ValueKind) {
    match kind {
        ValueKind::Scalar(kind) => scalar(out, text, kind),
        ValueKind::Array { element, delimiter } => {
            if !array::write_json(out, text, delimiter, |out, text| scalar(out, text, element)) {
                string(out, text);
            }
        }
    }
}

fn scalar(out: &mut BytesMut, text: &str, kind: Scalar) {
    match kind {
        Scalar::Bool => out.put_slice(if text == "t" { b"true" } else { b"false" }),
        Scalar::Int if text.parse::<i32>().is_ok() => out.put_slice(text.as_bytes()),
        Scalar::Float => match text.parse::<f64>() {
            // The shortest text of the number, which is what JavaScript would print but for its `.0`.
            Ok(number) if number.is_finite() => json(out, &number),
            _ => string(out, text),
        },
        Scalar::Json => out.put_slice(text.as_bytes()),
        Scalar::Int | Scalar::Text => string(out, text),
    }
}

fn string(out: &mut BytesMut, text: &str) {
    json(out, text);
}

fn json<T: serde::Serialize + ?Sized>(out: &mut BytesMut, value: &T) {
    // A string or a finite number into memory: neither the value nor the writer can fail.
    let _ = serde_json::to_writer(out.writer(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_oid: u32) -> Column {
        Column { name: name.into(), table_oid: 0, column_id: 0, type_oid, type_size: -1, type_modifier: -1 }
    }

    fn row(values: &[Option<&str>]) -> DataRow {
        let mut body = BytesMut::new();
        body.put_i16(values.len().try_into().unwrap_or(i16::MAX));
        for value in values {
            match value {
                None => body.put_i32(-1),
                Some(value) => {
                    body.put_i32(value.len().try_into().unwrap_or(i32::MAX));
                    body.put_slice(value.as_bytes());
                }
            }
        }
        DataRow::parse(body.freeze()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn output(limit: usize) -> Output {
        Output::new(limit, mpsc::channel(1).0)
    }

    fn rows(mode: Mode, columns: &[(&str, u32)], values: &[Option<&str>]) -> String {
        let columns: Arc<[Column]> = columns.iter().map(|(name, oid)| column(name, *oid)).collect();
        let kinds = columns.iter().filter_map(|column| ValueKind::builtin(column.type_oid)).collect();
        let mut out = output(1_000);
        let mut writer = RowWriter::new(&columns, mode, kinds);
        writer.write(&mut out, &row(values)).unwrap_or_else(|fault| panic!("{}", fault.message()));
        String::from_utf8_lossy(&out.into_rest()).into_owned()
    }

    #[test]
    fn rows_take_all_four_forms() {
        let columns = [("i", 23), ("a", 1007), ("n", 20), ("j", 3802), ("z", 25)];
        let values = [Some("-1"), Some("{1,NULL}"), Some("9007199254740993"), Some(r#"{"k": 1.50}"#), None];
        let with = |raw, array| rows(Mode { raw, array }, &columns, &values);
        assert_eq!(with(true, true), r#"["-1","{1,NULL}","9007199254740993","{\"k\": 1.50}",null]"#);
        assert_eq!(with(false, true), r#"[-1,[1,null],"9007199254740993",{"k": 1.50},null]"#);
        assert_eq!(
            with(true, false),
            r#"{"i":"-1","a":"{1,NULL}","n":"9007199254740993","j":"{\"k\": 1.50}","z":null}"#
        );
        assert_eq!(with(false, false), r#"{"i":-1,"a":[1,null],"n":"9007199254740993","j":{"k": 1.50},"z":null}"#);
    }

    #[test]
    fn floats_are_the_shortest_numbers() {
        let mode = Mode { raw: false, array: true };
        for (text, json) in [
            ("1", "1.0"),
            ("-0", "-0.0"),
            ("1e+15", "1000000000000000.0"),
            ("1e+21", "1e21"),
            ("1.2345678901234568e+17", "1.2345678901234568e17"),
            ("1e-07", "1e-7"),
            ("NaN", r#""NaN""#),
            ("-Infinity", r#""-Infinity""#),
        ] {
            // Whether a positive exponent has its sign differs between versions of the JSON library.
            let written = rows(mode, &[("f", 701)], &[Some(text)]).replace("e+", "e");
            assert_eq!(written, format!("[{json}]"));
        }
    }

    #[test]
    fn tags_give_command_and_count() {
        for (tag, json) in [
            ("SELECT 3", r#"],"command":"SELECT","rowCount":3,"rowAsArray":true}"#),
            ("INSERT 0 2", r#"],"command":"INSERT","rowCount":2,"rowAsArray":true}"#),
            ("CREATE TABLE", r#"],"command":"CREATE","rowCount":null,"rowAsArray":true}"#),
            ("", r#"],"command":"","rowCount":null,"rowAsArray":true}"#),
        ] {
            let mut out = output(1_000);
            assert!(out.end_result(tag, Mode { raw: true, array: true }).is_ok());
            assert_eq!(out.into_rest(), json);
        }
    }

    #[test]
    fn results_without_rows_keep_to_the_limit() {
        let status = |result: Result<(), Fault>| result.err().map(|fault| fault.status.as_u16());
        let columns = vec![column(&"c".repeat(60), 25); 10];
        assert_eq!(status(output(500).begin_result(&columns)), Some(507));
        assert_eq!(status(output(20).end_result("SELECT 0", Mode { raw: true, array: true })), Some(507));
        assert_eq!(status(output(20).raw(&"x".repeat(21))), Some(507));
        assert_eq!(status(output(20).raw(&"x".repeat(20))), None);
    }

    #[test]
    fn rows_beyond_the_limit_are_refused_before_they_are_copied() {
        let columns: Arc<[Column]> = [column("a", 25)].into();
        let mut out = output(20);
        let mut writer = RowWriter::new(&columns, Mode { raw: true, array: true }, Vec::new());
        assert!(writer.write(&mut out, &row(&[Some("short")])).is_ok());
        let fault = writer.write(&mut out, &row(&[Some("0123456789")])).err();
        assert_eq!(fault.map(|fault| fault.status.as_u16()), Some(507));
        assert_eq!(out.into_rest().len(), 9);
    }
}
