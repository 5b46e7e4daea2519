use std::sync::Arc;

use crate::wire::{Column, DataRow};

/// A step in a statement's results.
#[derive(Clone, Debug)]
pub enum Event {
    /// The statement gives rows of these columns; not sent for one that gives none.
    Columns(Arc<[Column]>),
    /// A row.
    Row(DataRow),
    /// The statement ended well, with this command tag.
    Complete(String),
    /// The text held no statement.
    Empty,
}

/// The whole result of one statement.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The columns; empty for a statement that gives no rows.
    pub columns: Arc<[Column]>,
    /// The rows.
    pub rows: Vec<DataRow>,
    /// The command tag, as `INSERT 0 3`; empty where the text held no statement.
    pub tag: String,
    /// How many rows the statement touched or gave: the tag's last number.
    pub affected: u64,
    /// Whether the text held no statement.
    pub is_empty: bool,
}

impl Event {
    /// Returns how many rows the statement touched or gave, where this is its end; 0 otherwise.
    #[must_use]
    pub fn affected(&self) -> u64 {
        match self {
            Self::Complete(tag) => affected(tag),
            Self::Columns(_) | Self::Row(_) | Self::Empty => 0,
        }
    }
}

impl Output {
    pub(crate) fn add(&mut self, event: Event) {
        match event {
            Event::Columns(columns) => self.columns = columns,
            Event::Row(row) => self.rows.push(row),
            Event::Complete(tag) => {
                self.affected = affected(&tag);
                self.tag = tag;
            }
            Event::Empty => self.is_empty = true,
        }
    }
}

/// The count at a command tag's end; 0 for a tag without one, as `CREATE TABLE`.
fn affected(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::affected;

    #[test]
    fn counts_are_read_from_the_tag() {
        for (tag, count) in [("INSERT 0 3", 3), ("SELECT 0", 0), ("UPDATE 12", 12), ("CREATE TABLE", 0), ("", 0)] {
            assert_eq!(affected(tag), count, "{tag}");
        }
    }
}
