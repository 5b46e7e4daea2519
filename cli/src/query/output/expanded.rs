use std::io;

use super::{Column, Row, Sink, printable, write_line};

/// Each column on a line of its own, as psql's `\x` prints it.
pub(super) struct Expanded {
    null: String,
    no_header: bool,
    names: Vec<Vec<String>>,
    /// That of the widest name.
    width: usize,
    rows: u64,
}

impl Expanded {
    pub(super) fn new(null: String, no_header: bool) -> Self {
        Self { null, no_header, names: Vec::new(), width: 0, rows: 0 }
    }

    pub(super) fn begin(&mut self, columns: &[Column]) {
        self.names = columns.iter().map(|column| lines(&column.name)).collect();
        self.width = widest(self.names.iter().flatten());
        self.rows = 0;
    }

    pub(super) fn row(&mut self, row: &Row<'_>, sink: &mut Sink) -> io::Result<()> {
        self.rows = self.rows.saturating_add(1);
        if self.no_header {
            if self.rows > 1 {
                write_line(sink, "")?;
            }
        } else {
            let title = format!("-[ RECORD {} ]", self.rows);
            let width = self.width + 1;
            // The bar goes through where the names end.
            let rule: String = match width.checked_sub(title.len()) {
                Some(rest) => format!("{title}{}+-", "-".repeat(rest)),
                None => format!("{title}-"),
            };
            write_line(sink, &rule)?;
        }
        for (name, value) in self.names.iter().zip(row) {
            let value = value.map_or_else(|| self.null.clone(), |value| String::from_utf8_lossy(value).into_owned());
            let value = lines(&value);
            let width = widest(&value);
            for line in 0..name.len().max(value.len()) {
                let (name, value) = (part(name, line, self.width), part(&value, line, width));
                write_line(sink, format!("{name}| {value}").trim_end())?;
            }
        }
        Ok(())
    }

    pub(super) fn end(&mut self, sink: &mut Sink) -> io::Result<()> {
        if self.no_header {
            return Ok(());
        }
        write_line(sink, if self.rows == 0 { "(0 rows)" } else { "" })
    }
}

/// A line of a name or a value, as wide as this, and behind it psql's mark where another follows.
fn part(lines: &[String], index: usize, width: usize) -> String {
    let line = lines.get(index).map_or("", String::as_str);
    let pad = width.saturating_sub(console::measure_text_width(line));
    let mark = if index + 1 < lines.len() { '+' } else { ' ' };
    format!("{line}{:pad$}{mark}", "")
}

fn widest<'a>(lines: impl IntoIterator<Item = &'a String>) -> usize {
    lines.into_iter().map(|line| console::measure_text_width(line)).max().unwrap_or(0)
}

fn lines(text: &str) -> Vec<String> {
    printable(text).split('\n').map(str::to_owned).collect()
}
