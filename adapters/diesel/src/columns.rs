use std::sync::{Arc, OnceLock};

use pgferry::wire::Column;

/// The columns of a result, which its rows share.
#[derive(Debug)]
pub(crate) struct Columns {
    columns: Arc<[Column]>,
    /// The columns' places in the order of their names, made when a column is first asked for by name.
    by_name: OnceLock<Box<[usize]>>,
}

impl Columns {
    pub(crate) fn new(columns: Arc<[Column]>) -> Self {
        Self { columns, by_name: OnceLock::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Column> {
        self.columns.get(index)
    }

    /// Finds the first column of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let by_name = self.by_name.get_or_init(|| {
            let mut places: Box<[usize]> = (0..self.columns.len()).collect();
            // Stable, so that of several columns of one name the first stays first.
            places.sort_by_key(|&place| self.name(place));
            places
        });
        let first = by_name.partition_point(|&place| self.name(place) < Some(name));
        by_name.get(first).copied().filter(|&place| self.name(place) == Some(name))
    }

    fn name(&self, place: usize) -> Option<&str> {
        self.get(place).map(|column| column.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_of_a_name_is_found() {
        let column = |name: &str| Column {
            name: name.to_owned(),
            type_oid: 23,
            table_oid: 0,
            column_id: 0,
            type_size: 4,
            type_modifier: -1,
        };
        let names = ["b", "", "a", "b", "A", "a"];
        let columns = Columns::new(names.iter().map(|name| column(name)).collect());
        for name in ["a", "b", "A", "", "c", "aa"] {
            assert_eq!(columns.position(name), names.iter().position(|known| *known == name), "{name:?}");
        }
    }
}
