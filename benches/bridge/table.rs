use std::io::{self, Write};

/// Numbers by road, each with its ratio to the first road's and to the second's.
pub(crate) struct Table {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<(&'static str, Vec<f64>)>,
}

impl Table {
    pub(crate) fn new(title: &'static str, columns: &[&'static str]) -> Self {
        Self { title, columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: &'static str, values: Vec<f64>) {
        self.rows.push((name, values));
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let base = |row: usize, column: usize| self.rows.get(row)?.1.get(column).copied();
        let named = |row: usize| self.rows.get(row).map_or("", |(name, _)| *name);
        writeln!(out, "{}; in brackets: beside {}, beside {}", self.title, named(0), named(1))?;
        write!(out, "{:16}", "")?;
        for column in &self.columns {
            write!(out, "{column:>28}")?;
        }
        writeln!(out)?;
        for (name, values) in &self.rows {
            write!(out, "{name:16}")?;
            for (column, value) in values.iter().enumerate() {
                let ratio = |row| value / base(row, column).unwrap_or(f64::NAN);
                write!(out, "{value:14.1} ({:5.2}{:6.2})", ratio(0), ratio(1))?;
            }
            writeln!(out)?;
        }
        writeln!(out)
    }
}
