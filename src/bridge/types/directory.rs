use std::collections::HashMap;

use super::row::Row;
use crate::{Oid, error::Result, execute::Output, sql};

/// The types of a database that sqlx does not know by itself.
#[derive(Debug, Default)]
pub(in crate::bridge) struct Directory {
    /// In the order in which they are told: those that a name alone means come first, since the first of a name wins in sqlx.
    rows: Vec<Row>,
    by_oid: HashMap<Oid, usize>,
    /// By each name that stands for one, as `to_regtype` reads names.
    by_name: HashMap<String, usize>,
    /// Whether all row types of tables may be told to each connection.
    tells_tables: bool,
    /// Whether the row types of all tables are among them.
    knows_tables: bool,
}

/// How well types that a text names are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bridge) enum Named {
    Known,
    /// One is not among them: made since, perhaps, by somebody else.
    Missing,
    /// sqlx fails at one when it asks for it.
    Untellable,
}

/// The row types of how many tables are told to each connection; where there are more, a statement's text must name the table.
const MOST_TOLD: usize = 100;

impl Directory {
    /// Reads the answer to the [`question`](super::question::question).
    pub(super) fn read(answer: &Output) -> Result<Self> {
        let rows: Vec<Row> = answer.rows.iter().map(Row::read).collect::<Result<_>>()?;
        let by_oid: HashMap<_, _> = rows.iter().enumerate().map(|(index, row)| (row.oid, index)).collect();
        let mut by_name = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            by_name.entry(row.pretty_name.clone()).or_insert(index);
            by_name.entry(row.qualified_name.clone()).or_insert(index);
            if row.is_visible {
                by_name.entry(row.quoted_name.clone()).or_insert(index);
            }
        }
        let knows_tables = rows.first().is_some_and(|row| row.is_with_tables);
        let tables = rows.iter().filter(|row| row.table.is_some() && row.category != "A").count();
        Ok(Self { by_oid, by_name, tells_tables: tables <= MOST_TOLD, knows_tables, rows })
    }

    /// Whether a type is among them.
    pub(in crate::bridge) fn has(&self, oid: Oid) -> bool {
        self.by_oid.contains_key(&oid)
    }

    pub(super) fn get(&self, oid: Oid) -> Option<&Row> {
        self.rows.get(*self.by_oid.get(&oid)?)
    }

    /// Finds what `to_regtype` would, as far as it can be told without the server.
    pub(super) fn find(&self, name: &str) -> Option<&Row> {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.[]".contains(&byte));
        let index = if is_plain { self.by_name.get(&name.to_ascii_lowercase()) } else { self.by_name.get(name) };
        self.rows.get(*index?)
    }

    /// Whether the row types of all tables are among them.
    pub(super) fn knows_tables(&self) -> bool {
        self.knows_tables
    }

    /// How well the types that a text names are known.
    pub(in crate::bridge) fn names(&self, text: &str) -> Named {
        let names = sql::names(text);
        let mut found = Vec::new();
        for name in &names.types {
            match self.find(name) {
                Some(row) => found.push(row.oid),
                None => return Named::Missing,
            }
        }
        let gives_whole_rows = !self.knows_tables && !sql::whole_rows(text).is_empty();
        for name in &names.relations {
            match self.find(name) {
                Some(row) => found.push(row.oid),
                // Of a database with many tables, the row types of a few are known.
                None if self.knows_tables || gives_whole_rows => return Named::Missing,
                None => {}
            }
        }
        let is_tellable = |oid: &Oid| super::client::is_built_in(*oid) || self.can_tell(*oid);
        if found.iter().all(is_tellable) { Named::Known } else { Named::Untellable }
    }

    /// The types that a client is to be told of for a statement, each behind those that it is made of.
    pub(super) fn to_tell(&self, text: &str, is_told: impl Fn(Oid) -> bool) -> Vec<&Row> {
        let mut telling = Telling { directory: self, is_told, decided: HashMap::new(), rows: Vec::new() };
        // Names in a text are only hints here, so its lower-case form will do.
        let text = if self.tells_tables { String::new() } else { text.to_lowercase() };
        let is_due = |row: &&Row| {
            self.tells_tables || row.table.as_ref().is_none_or(|table| text.contains(&table.to_lowercase()))
        };
        for row in self.rows.iter().filter(is_due) {
            telling.add(row.oid, 0);
        }
        telling.rows
    }

    /// The types that make up some, and those themselves, as far as they are not told already.
    pub(super) fn with_parts(&self, oids: impl IntoIterator<Item = Oid>, is_told: impl Fn(Oid) -> bool) -> Vec<&Row> {
        let mut telling = Telling { directory: self, is_told, decided: HashMap::new(), rows: Vec::new() };
        for oid in oids {
            telling.add(oid, 0);
        }
        telling.rows
    }

    /// Whether sqlx can be told of a type.
    pub(super) fn can_tell(&self, oid: Oid) -> bool {
        !self.with_parts([oid], super::client::is_built_in).is_empty()
    }
}

/// How deep types may be made of each other here; Postgres's own limit is the stack's.
const DEEPEST: usize = 64;

/// A list in the making.
struct Telling<'a, F> {
    directory: &'a Directory,
    is_told: F,
    /// Whether a type can be told.
    decided: HashMap<Oid, bool>,
    rows: Vec<&'a Row>,
}

impl<F: Fn(Oid) -> bool> Telling<'_, F> {
    /// Adds a type behind its parts; false if sqlx would not understand it.
    fn add(&mut self, oid: Oid, depth: usize) -> bool {
        if (self.is_told)(oid) {
            return true;
        }
        if let Some(decided) = self.decided.get(&oid) {
            return *decided;
        }
        let directory = self.directory;
        let Some(row) = directory.get(oid).filter(|row| row.is_known_kind() && depth < DEEPEST) else {
            return false;
        };
        // A type that is met again below itself is not told.
        self.decided.insert(oid, false);
        let tellable = row.dependencies().all(|part| self.add(part, depth + 1));
        self.decided.insert(oid, tellable);
        if tellable {
            self.rows.push(row);
        }
        tellable
    }
}
