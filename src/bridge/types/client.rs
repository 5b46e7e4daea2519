use std::collections::{HashMap, HashSet};

use super::{
    directory::Directory,
    lookup::{Lookup, asks_for_tables},
    pending::Pending,
    row::Row,
};
use crate::Oid;

/// The types that sqlx 0.9 knows by itself.
pub(super) const KNOWN: [Oid; 92] = [
    16, 17, 18, 19, 20, 21, 23, 25, 26, 114, 199, 600, 601, 602, 603, 604, 628, 629, 650, 651, 700, 701, 705, 718, 719,
    774, 775, 790, 791, 829, 869, 1000, 1001, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1017, 1018, 1019, 1020,
    1021, 1022, 1027, 1028, 1040, 1041, 1042, 1043, 1082, 1083, 1114, 1115, 1182, 1183, 1184, 1185, 1186, 1187, 1231,
    1266, 1270, 1560, 1561, 1562, 1563, 1700, 2249, 2278, 2287, 2950, 2951, 3802, 3807, 3904, 3905, 3906, 3907, 3908,
    3909, 3910, 3911, 3912, 3913, 3926, 3927, 4072, 4073,
];

/// Whether sqlx knows a type by itself.
pub(in crate::bridge) fn is_built_in(oid: Oid) -> bool {
    KNOWN.binary_search(&oid).is_ok()
}

/// What one connection's client has been told of types.
#[derive(Debug, Default)]
pub(in crate::bridge) struct Client {
    /// As they were told; `None` where the server told it.
    told: HashMap<Oid, Option<Row>>,
    /// It has asked for types as sqlx does.
    asks: bool,
    /// Told, and perhaps not taken.
    pending: Pending,
    /// Types of results that it was not told of and cannot decode.
    missed: HashSet<Oid>,
}

impl Client {
    pub(super) fn is_told(&self, oid: Oid) -> bool {
        is_built_in(oid) || self.told.contains_key(&oid)
    }

    pub(super) fn note(&mut self, row: &Row) {
        self.pending.told(row.oid, Some(row.clone()));
    }

    /// Notes that it sent a simple query; what is told from now on answers it, if it asks for types.
    pub(in crate::bridge) fn queried(&mut self, script: &str) {
        if asks_for_tables(script) {
            // It has the types of the columns.
            let taken = self.pending.went_on_describing();
            self.note_taken(taken);
        } else if let Some(Lookup::Types(asked)) = Lookup::recognise(script) {
            self.asks = true;
            self.pending.asked(&asked);
        } else {
            self.pending.came();
        }
    }

    /// The name of the statement that it asks for types for.
    pub(in crate::bridge) fn preparing(&self) -> Option<&str> {
        self.pending.current()
    }

    /// Notes that the server told it of types.
    pub(in crate::bridge) fn note_answer(&mut self, oids: impl IntoIterator<Item = Oid>) {
        for oid in oids {
            self.pending.told(oid, None);
        }
    }

    /// Notes that it prepared a statement.
    pub(in crate::bridge) fn parsed(&mut self, name: &str, param_types: &[Oid]) {
        let taken = self.pending.parsed(name, param_types);
        self.note_taken(taken);
    }

    /// Notes that the statement it prepared last was described with columns of these types.
    pub(in crate::bridge) fn described(&mut self, columns: impl IntoIterator<Item = Oid>) {
        if let Some(oid) = columns.into_iter().find(|oid| !is_built_in(*oid)) {
            self.pending.described(oid);
        }
    }

    /// Notes that it bound values to a statement.
    pub(in crate::bridge) fn bound(&mut self, name: &str) {
        let taken = self.pending.went_on(name);
        self.note_taken(taken);
    }

    fn note_taken(&mut self, taken: Vec<(Oid, Option<Row>)>) {
        for (oid, row) in taken {
            match row {
                Some(row) => drop(self.told.insert(oid, Some(row))),
                None => drop(self.told.entry(oid).or_default()),
            }
        }
    }

    /// A type that the client would ask for, if there is one that it is to be told of before a statement.
    pub(in crate::bridge) fn unknown(&self, directory: &Directory, text: &str) -> Option<Oid> {
        directory.to_tell(text, |oid| self.is_told(oid)).first().map(|row| row.oid)
    }

    /// Whether it misses a type that another connection would be told of.
    pub(in crate::bridge) fn is_behind(&self) -> bool {
        self.missed.iter().any(|oid| !self.is_told(*oid))
    }

    pub(super) fn note_missed(&mut self, oids: impl IntoIterator<Item = Oid>) {
        self.missed.extend(oids);
    }

    /// The types that the bridge told it of, as they were then.
    pub(super) fn told_rows(&self) -> impl Iterator<Item = &Row> {
        self.told.values().flatten()
    }

    pub(super) fn told_row(&self, oid: Oid) -> Option<&Row> {
        self.told.get(&oid)?.as_ref()
    }

    /// Whether a result's types are all built in, or the client never asks for types.
    pub(in crate::bridge) fn is_content(&self, types: impl IntoIterator<Item = Oid>) -> bool {
        !self.asks || types.into_iter().all(is_built_in)
    }

    /// Whether the client has been told of all of these, or knows them by itself.
    pub(in crate::bridge) fn knows(&self, types: impl IntoIterator<Item = Oid>) -> bool {
        types.into_iter().all(|oid| self.is_told(oid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqlx_knows_is_in_order() {
        assert!(KNOWN.is_sorted());
    }
}
