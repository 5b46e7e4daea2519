use std::io::{self, Write};

/// Numbers by road, each with its ratios to those of the first roads.
pub(crate) struct Table {
    /// With how many of the first roads each is compared.
    compared: usize,
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<(&'static str, Vec<f64>)>,
}

impl Table {
    pub(crate) fn new(title: &'static str, columns: &[&'static str], compared: usize) -> Self {
        Self { compared, title, columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: &'static str, values: Vec<f64>) {
        self.rows.push((name, values));
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let base = |row: usize, column: usize| self.rows.get(row)?.1.get(column).copied();
        let beside: String = self
            .rows
            .iter()
            .take(self.compared)
            .map(|(name, _)| format!(" beside {name}"))
            .collect::<Vec<_>>()
            .join(",");
        writeln!(out, "{}; in brackets:{beside}", self.title)?;
        write!(out, "{:28}", "")?;
        for column in &self.columns {
            write!(out, "{column:>28}")?;
        }
        writeln!(out)?;
        for (name, values) in &self.rows {
            write!(out, "{name:28}")?;
            for (column, value) in values.iter().enumerate() {
                let ratio = |row| value / base(row, column).unwrap_or(f64::NAN);
                let ratios: Vec<_> = (0..self.compared).map(|row| format!("{:5.2}", ratio(row))).collect();
                write!(out, "{:>28}", format!("{value:.1} ({})", ratios.join(" ")))?;
            }
            writeln!(out)?;
        }
        writeln!(out)
    }
}
