use std::io::{self, Write};

use super::{Column, Row, Sink, write_line};

/// CSV as `COPY … TO STDOUT (FORMAT csv, HEADER)` writes it, where null and an empty text differ (PostgreSQL manual, COPY).
pub(super) struct Csv {
    no_header: bool,
}

impl Csv {
    pub(super) fn new(no_header: bool) -> Self {
        Self { no_header }
    }

    pub(super) fn begin(&mut self, columns: &[Column], sink: &mut Sink) -> io::Result<()> {
        if self.no_header {
            return Ok(());
        }
        let names: Vec<_> = columns.iter().map(|column| Some(column.name.as_bytes())).collect();
        self.row(&names, sink)
    }

    pub(super) fn row(&mut self, row: &Row<'_>, sink: &mut Sink) -> io::Result<()> {
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                sink.write_all(b",")?;
            }
            match value {
                None => {}
                Some(value) if needs_quotes(value, row.len() == 1) => quote(value, sink)?,
                Some(value) => sink.write_all(value)?,
            }
        }
        write_line(sink, "")
    }
}

/// An empty text would be null, and `\.` alone on a line the end of the data.
fn needs_quotes(value: &[u8], is_alone: bool) -> bool {
    value.is_empty()
        || value.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
        || is_alone && value == br"\."
}

fn quote(value: &[u8], sink: &mut Sink) -> io::Result<()> {
    sink.write_all(b"\"")?;
    for (index, part) in value.split(|byte| *byte == b'"').enumerate() {
        if index > 0 {
            sink.write_all(b"\"\"")?;
        }
        sink.write_all(part)?;
    }
    sink.write_all(b"\"")
}
