use std::{
    io::{self, Write},
    str,
};

use anyhow::Context;
use pgferry::Oid;
use serde_json::value::RawValue;

use super::{Column, Row, Sink, unique::unique};
use crate::problem::write_error;

/// Objects, as an array for each result or one a line.
pub(super) struct Json {
    lines: bool,
    columns: Vec<(Key, Kind)>,
    rows: u64,
}

/// A column's name, and as it is written.
struct Key {
    name: String,
    encoded: String,
}

/// What a type's values are in JSON.
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Number,
    Json,
    Text,
}

impl Json {
    pub(super) fn array() -> Self {
        Self { lines: false, columns: Vec::new(), rows: 0 }
    }

    pub(super) fn lines() -> Self {
        Self { lines: true, ..Self::array() }
    }

    pub(super) fn begin(&mut self, columns: Vec<Column>) {
        let kinds: Vec<_> = columns.iter().map(|column| kind(column.type_oid)).collect();
        let keys = unique(columns.into_iter().map(|column| column.name)).into_iter().map(|name| {
            let encoded = serde_json::Value::String(name.clone()).to_string();
            Key { name, encoded }
        });
        self.columns = keys.zip(kinds).collect();
        self.rows = 0;
    }

    pub(super) fn row(&mut self, row: &Row<'_>, sink: &mut Sink) -> anyhow::Result<()> {
        let mut text = String::from(match (self.lines, self.rows) {
            (true, _) => "{",
            (false, 0) => "[\n{",
            (false, _) => ",\n{",
        });
        self.rows = self.rows.saturating_add(1);
        for (index, ((key, kind), value)) in self.columns.iter().zip(row).enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&key.encoded);
            text.push(':');
            let Some(value) = value else {
                text.push_str("null");
                continue;
            };
            let value = str::from_utf8(value).with_context(|| {
                format!("a value of column {:?} is not UTF-8, as JSON must be: use --format csv", key.name)
            })?;
            push(&mut text, *kind, value);
        }
        text.push_str(if self.lines { "}\n" } else { "}" });
        sink.write_all(text.as_bytes()).map_err(write_error)
    }

    pub(super) fn end(&mut self, sink: &mut Sink) -> io::Result<()> {
        match (self.lines, self.rows) {
            (true, _) => Ok(()),
            (false, 0) => sink.write_all(b"[]\n"),
            (false, _) => sink.write_all(b"\n]\n"),
        }
    }

    /// Ends the line.
    pub(super) fn break_off(&mut self, sink: &mut Sink) -> io::Result<()> {
        if self.lines || self.rows == 0 { Ok(()) } else { sink.write_all(b"\n") }
    }
}

/// The types whose values are JSON's own, by `pg_type.oid`. Not those whose digits readers round: bigint and numeric.
fn kind(type_oid: Oid) -> Kind {
    match type_oid {
        16 => Kind::Bool,
        // smallint, integer, oid, real, double precision
        21 | 23 | 26 | 700 | 701 => Kind::Number,
        114 | 3802 => Kind::Json,
        _ => Kind::Text,
    }
}

/// Adds a value; one that is not what its type promises, as NaN or what a strange server sends, becomes a string.
fn push(text: &mut String, kind: Kind, value: &str) {
    match (kind, value) {
        (Kind::Bool, "t") => text.push_str("true"),
        (Kind::Bool, "f") => text.push_str("false"),
        (Kind::Number, _) if is_number(value) => text.push_str(value),
        // A line break in valid JSON stands between its tokens only.
        (Kind::Json, _) if is_json(value) => text.push_str(value.replace(['\n', '\r'], " ").trim()),
        _ => text.push_str(&serde_json::Value::String(value.to_owned()).to_string()),
    }
}

fn is_number(value: &str) -> bool {
    value.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && is_json(value)
}

fn is_json(value: &str) -> bool {
    serde_json::from_str::<&RawValue>(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{kind, push};

    #[test]
    fn values_are_what_their_type_is() {
        for (type_oid, value, json) in [
            (16, "t", "true"),
            (16, "maybe", "\"maybe\""),
            (23, "-42", "-42"),
            (701, "1e+300", "1e+300"),
            (701, "NaN", "\"NaN\""),
            (700, "-Infinity", "\"-Infinity\""),
            (20, "9007199254740993", "\"9007199254740993\""),
            (1700, "1.10", "\"1.10\""),
            (114, "{\"a\":\n 1.10, \"a\": 12345678901234567890}\n", "{\"a\":  1.10, \"a\": 12345678901234567890}"),
            (3802, "\"a\\nb\"", "\"a\\nb\""),
            (114, "{} {}", "\"{} {}\""),
            (25, "a\"b\n\u{1}", "\"a\\\"b\\n\\u0001\""),
            (1007, "{1,2}", "\"{1,2}\""),
        ] {
            let mut text = String::new();
            push(&mut text, kind(type_oid), value);
            assert_eq!(text, json);
        }
    }
}
