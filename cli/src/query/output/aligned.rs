use std::{borrow::Cow, io, mem};

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle, Width,
};

use pgferry::Oid;

use super::{Column, Row, Sink, printable, write_line};

/// How many rows decide how wide the columns are, and how many bytes of them are kept for that.
const AHEAD: usize = 1000;
const BYTES_AHEAD: usize = 8 * 1024 * 1024;

/// The widest that a column gets; the library counts in 16 bits.
const WIDEST: usize = 10_000;

/// A table as psql prints it.
pub(super) struct Aligned {
    null: String,
    no_header: bool,
    /// How wide the terminal is, if it goes to one.
    width: Option<u16>,
    columns: Vec<Column>,
    waiting: Vec<Vec<String>>,
    bytes_waiting: usize,
    /// How wide the columns are, once some were written.
    widths: Option<Vec<u16>>,
    rows: u64,
}

impl Aligned {
    pub(super) fn new(null: String, no_header: bool, width: Option<u16>) -> Self {
        Self {
            null,
            no_header,
            width,
            columns: Vec::new(),
            waiting: Vec::new(),
            bytes_waiting: 0,
            widths: None,
            rows: 0,
        }
    }

    pub(super) fn begin(&mut self, columns: Vec<Column>) {
        self.columns = columns;
        self.waiting.clear();
        self.bytes_waiting = 0;
        self.widths = None;
        self.rows = 0;
    }

    pub(super) fn row(&mut self, row: &Row<'_>, sink: &mut Sink) -> io::Result<()> {
        self.rows = self.rows.saturating_add(1);
        let cells: Vec<String> = row
            .iter()
            .map(|value| value.map_or_else(|| self.null.clone(), |value| cell(&String::from_utf8_lossy(value))))
            .collect();
        self.bytes_waiting = cells.iter().fold(self.bytes_waiting, |sum, cell| sum.saturating_add(cell.len()));
        self.waiting.push(cells);
        if self.waiting.len() >= AHEAD || self.bytes_waiting >= BYTES_AHEAD { self.write(sink) } else { Ok(()) }
    }

    pub(super) fn end(&mut self, sink: &mut Sink) -> io::Result<()> {
        if self.widths.is_none() || !self.waiting.is_empty() {
            self.write(sink)?;
        }
        if self.no_header {
            return Ok(());
        }
        let rows = if self.rows == 1 { "row" } else { "rows" };
        write_line(sink, &format!("({} {rows})\n", self.rows))
    }

    /// Writes what is waiting, and no count.
    pub(super) fn break_off(&mut self, sink: &mut Sink) -> io::Result<()> {
        if self.waiting.is_empty() { Ok(()) } else { self.write(sink) }
    }

    fn write(&mut self, sink: &mut Sink) -> io::Result<()> {
        let rows = mem::take(&mut self.waiting);
        self.bytes_waiting = 0;
        let is_first = self.widths.is_none();
        if self.columns.is_empty() {
            self.widths = Some(Vec::new());
            // As many rows as there are, of which none has anything to show.
            return if is_first && !self.no_header { write_line(sink, "--") } else { Ok(()) };
        }
        let lines: Vec<String> = self.table(rows).lines().collect();
        let mut shown = &lines[..];
        if is_first {
            // The line under the names, which begin with a space.
            let rule = lines.iter().position(|line| line.bytes().all(|byte| matches!(byte, b'-' | b'+')));
            let (head, rows) = lines.split_at_checked(rule.map_or(0, |rule| rule + 1)).unwrap_or_default();
            let rule = head.last().map_or("", String::as_str);
            self.widths = Some(rule.split('+').map(|part| u16::try_from(part.len()).unwrap_or(u16::MAX)).collect());
            if self.no_header {
                shown = rows;
            }
        }
        for line in shown {
            write_line(sink, with_marks(line).trim_end())?;
        }
        Ok(())
    }

    /// The rows, and the names above the first of them.
    fn table(&self, rows: Vec<Vec<String>>) -> Table {
        let mut table = Table::new();
        table.load_style(STYLE);
        if let Some(width) = self.width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        if self.widths.is_none() {
            let names = self.columns.iter().map(|column| Cell::new(cell(&column.name)));
            table.set_header(names.map(|name| name.set_alignment(CellAlignment::Center)).collect::<Vec<_>>());
        }
        table.add_rows(rows);
        for (index, column) in self.columns.iter().enumerate() {
            let Some(arranged) = table.column_mut(index) else { continue };
            if is_number(column.type_oid) {
                arranged.set_cell_alignment(CellAlignment::Right);
            }
            if let Some(&width) = self.widths.as_ref().and_then(|widths| widths.get(index)) {
                let width = Width::Fixed(width);
                arranged.set_constraint(match self.width {
                    Some(_) => ColumnConstraint::Absolute(width),
                    None => ColumnConstraint::LowerBoundary(width),
                });
            }
        }
        table
    }
}

/// psql's, with `border` 1.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction('|'))
    .header_separator(LineStyle::none().fill('-').junction('+'))
    .content_lines(ContentLineStyle::none().junction('|'));

/// Stands at the end of a line that goes on in the next. It takes no width and belongs to the character before it, so that nothing
/// is arranged in another way for it, and hardly any value has it.
const GOES_ON: &str = "\u{E01EF}\u{E01EE}";

/// The line with psql's mark for a value that goes on, at the end of its column and not of the text.
fn with_marks(line: &str) -> Cow<'_, str> {
    let mut parts = line.split(GOES_ON);
    let first = parts.next().unwrap_or_default();
    parts.fold(Cow::Borrowed(first), |before, after| {
        let rest = after.trim_start_matches(' ');
        let spaces = (after.len() - rest.len()).saturating_sub(1);
        Cow::Owned(format!("{before}{:spaces$}+{rest}", ""))
    })
}

/// What a value looks like in its cell: never wider than a column gets.
fn cell(value: &str) -> String {
    let value = printable(value);
    if value.len() <= WIDEST {
        return value.replace('\n', &format!("{GOES_ON}\n"));
    }
    let mut cell = String::with_capacity(value.len());
    for (index, line) in value.split('\n').enumerate() {
        if index > 0 {
            cell.push_str(GOES_ON);
            cell.push('\n');
        }
        for (part, character) in line.chars().enumerate() {
            // No character is wider than two columns.
            if part > 0 && part % (WIDEST / 2) == 0 {
                cell.push('\n');
            }
            cell.push(character);
        }
    }
    cell
}

/// The types that psql aligns to the right, by `pg_type.oid`.
fn is_number(type_oid: Oid) -> bool {
    // bigint, smallint, integer, oid, xid, cid, real, double precision, money, numeric, xid8
    matches!(type_oid, 20 | 21 | 23 | 26 | 28 | 29 | 700 | 701 | 790 | 1700 | 5069)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_broken_and_keep_everything() {
        let value = format!("a\n\n{}\nb", "x".repeat(12_000));
        let shown = cell(&value);
        let [whole, rest] = [5000, 2000].map(|count| "x".repeat(count));
        assert_eq!(shown, format!("a{GOES_ON}\n{GOES_ON}\n{whole}\n{whole}\n{rest}{GOES_ON}\nb"));
        assert_eq!(cell("a\nb"), format!("a{GOES_ON}\nb"));
    }

    #[test]
    fn marks_stand_at_the_end_of_their_columns() {
        let line = format!(" a{GOES_ON}   | b{GOES_ON} |   1{GOES_ON}  ");
        assert_eq!(with_marks(&line), " a  +| b+|   1 +");
        assert_eq!(with_marks(" a + | b "), " a + | b ");
    }
}
