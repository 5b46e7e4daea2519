//! Where results go, and in which form.

mod aligned;
mod choice;
mod csv;
mod expanded;
mod json;
mod printable;
mod unique;

use std::io::{self, BufWriter, Write};

use self::{aligned::Aligned, csv::Csv, expanded::Expanded, json::Json};
pub(super) use self::{choice::Choice, printable::printable};
use super::failure;
use crate::problem::write_error;

/// A column of a result.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) type_oid: pgferry::Oid,
}

/// A row's values as text, `None` for null.
type Row<'a> = [Option<&'a [u8]>];

type Sink = BufWriter<Box<dyn Write>>;

/// Takes results while they come.
pub(super) struct Output {
    sink: Sink,
    form: Form,
    /// Whether a result with columns is under way.
    inside: bool,
    /// Says nothing of statements that give no rows.
    quiet: bool,
    /// Says it where the results are.
    tags_with_results: bool,
}

enum Form {
    Aligned(Aligned),
    Expanded(Expanded),
    Csv(Csv),
    Json(Json),
}

impl Output {
    /// Begins a result that has columns.
    pub(super) fn begin(&mut self, columns: Vec<Column>) -> anyhow::Result<()> {
        self.inside = true;
        match &mut self.form {
            Form::Aligned(form) => form.begin(columns),
            Form::Expanded(form) => form.begin(&columns),
            Form::Csv(form) => form.begin(&columns, &mut self.sink).map_err(write_error)?,
            Form::Json(form) => form.begin(columns),
        }
        Ok(())
    }

    /// Takes a row.
    pub(super) fn row<'a>(&mut self, values: impl Iterator<Item = Option<&'a [u8]>>) -> anyhow::Result<()> {
        let row: Vec<_> = values.collect();
        let sink = &mut self.sink;
        match &mut self.form {
            Form::Aligned(form) => form.row(&row, sink),
            Form::Expanded(form) => form.row(&row, sink),
            Form::Csv(form) => form.row(&row, sink),
            Form::Json(form) => return form.row(&row, sink),
        }
        .map_err(write_error)
    }

    /// Ends a statement's result.
    pub(super) fn end(&mut self, tag: &str) -> anyhow::Result<()> {
        let sink = &mut self.sink;
        let ended = if std::mem::take(&mut self.inside) {
            match &mut self.form {
                Form::Aligned(form) => form.end(sink),
                Form::Expanded(form) => form.end(sink),
                Form::Csv(_) => Ok(()),
                Form::Json(form) => form.end(sink),
            }
        } else if self.quiet || tag.is_empty() {
            Ok(())
        } else if self.tags_with_results {
            writeln!(sink, "{}", printable(tag))
        } else {
            failure::say(&printable(tag));
            Ok(())
        };
        ended.and_then(|()| sink.flush()).map_err(write_error)
    }

    /// Shows what has come so far.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.sink.flush().map_err(write_error)
    }

    /// Writes what has come of a result that broke off; of JSON the end is then missing, so that nobody takes it for whole.
    pub(super) fn abandon(&mut self) -> anyhow::Result<()> {
        if std::mem::take(&mut self.inside) {
            match &mut self.form {
                Form::Aligned(form) => form.break_off(&mut self.sink).map_err(write_error)?,
                Form::Json(form) => form.break_off(&mut self.sink).map_err(write_error)?,
                Form::Expanded(_) | Form::Csv(_) => {}
            }
        }
        self.flush()
    }
}

/// Writes a line of cells and nothing else.
fn write_line(sink: &mut Sink, line: &str) -> io::Result<()> {
    sink.write_all(line.as_bytes())?;
    sink.write_all(b"\n")
}
