use bytes::Bytes;

use super::{
    client::Client,
    columns::{PLACEHOLDER_TABLE, of_types},
    directory::Directory,
};
use crate::{
    Oid,
    error::Result,
    wire::{Column, DataRow},
};

/// How sqlx 0.9 asks for types, before and behind the list of them (`connection/resolve.rs`).
const TYPES: (&str, &str) = (
    "SELECT pg_type.oid,\n\
     pg_type.oid::regtype::text pretty_name,\n\
     typname catalog_name,\n\
     original_name,\n\
     typtype,\n\
     typcategory,\n\
     NULLIF(typelem, 0::oid) typelem,\n\
     NULLIF(typbasetype, 0::oid) typbasetype,\n\
     rngsubtype,\n\
     COALESCE(\
     (SELECT array_agg(enumlabel) FROM (SELECT *\n\
     FROM pg_catalog.pg_enum\n\
     WHERE enumtypid = pg_type.oid\n\
     ORDER BY enumsortorder) labels),\n\
     '{}') enum_labels,\n\
     COALESCE(\n\
     (SELECT array_agg((attname, atttypid)) FROM (SELECT *\n\
     FROM pg_catalog.pg_attribute\n\
     WHERE attrelid = pg_type.typrelid\n\
     AND NOT attisdropped\n\
     AND attnum > 0\n\
     ORDER BY attnum) attributes),\n\
     '{}') record_attributes\n\
     FROM (SELECT DISTINCT ON(lookup_oid) original_name, lookup_oid\n\
     FROM (VALUES ",
    ") lookup_inner(original_name, lookup_oid)\n\
     ORDER BY lookup_oid) type_lookup\n\
     INNER JOIN pg_catalog.pg_type ON type_lookup.lookup_oid = pg_type.oid\n\
     LEFT JOIN pg_catalog.pg_range ON pg_type.oid = pg_range.rngtypid",
);

/// How it asks which table a prepared statement's columns are of.
const TABLES: (&str, &str) = (
    "SELECT\n\
     attrelid table_oid,\n\
     attrelid::regclass::text table_name,\n\
     array_agg(ROW(attnum, attname)) AS columns\n\
     FROM (VALUES ",
    ") lookup(table_oid, attribute_num)\n\
     INNER JOIN pg_catalog.pg_attribute ON lookup.table_oid = attrelid AND lookup.attribute_num = attnum\n\
     GROUP BY attrelid",
);

/// How its question begins whether a described statement's columns can be null (`connection/describe.rs`).
const NULLABILITY: &str = "SELECT NOT attnotnull FROM ( ( SELECT $1::int4 AS idx, $2::int4 AS table_id, ";

/// A question of sqlx's own, asked between the user's statements.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::bridge) enum Lookup<'a> {
    Types(Vec<Asked<'a>>),
    /// Which table the placeholder is of.
    Placeholder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bridge) enum Asked<'a> {
    Oid(Oid),
    Name(&'a str),
}

/// An answer as the server would give it.
#[derive(Debug)]
pub(in crate::bridge) struct Answer {
    pub(in crate::bridge) columns: Vec<Column>,
    pub(in crate::bridge) rows: Vec<DataRow>,
}

impl<'a> Lookup<'a> {
    /// Recognises a question; `None` for anything that is not literally one.
    pub(in crate::bridge) fn recognise(script: &'a str) -> Option<Self> {
        if let Some(list) = between(script, TYPES) {
            return asked(list).map(Lookup::Types);
        }
        let list = between(script, TABLES)?;
        (list == format!("({PLACEHOLDER_TABLE}, 1)")).then_some(Lookup::Placeholder)
    }

    /// Answers from the directory, and tells the client of what else it is to know for the statement that it asks for; `None` if something
    /// asked for is not there.
    pub(in crate::bridge) fn answer(
        &self,
        directory: &Directory,
        client: &mut Client,
        statement: &str,
    ) -> Option<Result<Answer>> {
        let Self::Types(asked) = self else {
            return Some(Ok(Answer { columns: of_tables(), rows: Vec::new() }));
        };
        let mut found = Vec::with_capacity(asked.len());
        for asked in asked {
            found.push(match asked {
                Asked::Oid(oid) => (directory.get(*oid)?, None),
                Asked::Name(name) => (directory.find(name)?, Some(*name)),
            });
        }
        let is_told = |oid| client.is_told(oid);
        let parts = directory.with_parts(found.iter().map(|(row, _)| row.oid), is_told);
        let asked_for = |oid: Oid| found.iter().any(|(row, _)| row.oid == oid);
        let mut rows = Vec::new();
        let mut told = Vec::new();
        // What the types asked for are made of, then those by the names they were asked by, then all the others.
        for row in parts.into_iter().filter(|row| !asked_for(row.oid)) {
            rows.push(row.answer(None));
            told.push(row);
        }
        for (row, name) in &found {
            rows.push(row.answer(*name));
            told.push(row);
        }
        for row in directory.to_tell(statement, is_told) {
            if !told.iter().any(|other| other.oid == row.oid) {
                rows.push(row.answer(None));
                told.push(row);
            }
        }
        told.into_iter().for_each(|row| client.note(row));
        Some(rows.into_iter().collect::<Result<_>>().map(|rows| Answer { columns: of_types(), rows }))
    }
}

/// Whether a script is sqlx's question which tables a described statement's columns are of.
pub(super) fn asks_for_tables(script: &str) -> bool {
    script.starts_with(TABLES.0)
}

/// Whether a statement asks whether a described statement's columns can be null.
pub(in crate::bridge) fn asks_nullability(text: &str) -> bool {
    text.starts_with(NULLABILITY)
}

/// Whether a bound statement asks whether the placeholder can be null, as sqlx does to describe a statement.
pub(in crate::bridge) fn nullability_of_placeholder(text: &str, params: &[Option<Bytes>]) -> bool {
    let table = params.get(1).and_then(Option::as_deref);
    asks_nullability(text) && table == Some(&PLACEHOLDER_TABLE.to_be_bytes())
}

fn between<'a>(script: &'a str, (before, behind): (&str, &str)) -> Option<&'a str> {
    script.strip_prefix(before)?.strip_suffix(behind)
}

/// Reads `(NULL, 16401), (E'mood', to_regtype(E'mood')::oid)`.
fn asked(mut list: &str) -> Option<Vec<Asked<'_>>> {
    let mut asked = Vec::new();
    loop {
        let rest = list.strip_prefix('(')?;
        let rest = if let Some(rest) = rest.strip_prefix("NULL, ") {
            let (oid, rest) = rest.split_at(rest.find(')')?);
            asked.push(Asked::Oid(oid.parse().ok()?));
            rest
        } else {
            let rest = rest.strip_prefix("E'")?;
            let (name, rest) = rest.split_at(rest.find('\'')?);
            // An escape is left to the server.
            if name.contains('\\') {
                return None;
            }
            asked.push(Asked::Name(name));
            let rest = rest.strip_prefix("', to_regtype(E'")?.strip_prefix(name)?.strip_prefix("')")?;
            rest.strip_prefix("::oid").unwrap_or(rest)
        };
        let rest = rest.strip_prefix(')')?;
        if rest.is_empty() {
            return Some(asked);
        }
        list = rest.strip_prefix(", ")?;
    }
}

fn of_tables() -> Vec<Column> {
    let column = |name: &str, type_oid| Column {
        name: name.to_owned(),
        table_oid: 0,
        column_id: 0,
        type_oid,
        type_size: -1,
        type_modifier: -1,
    };
    [("table_oid", 26), ("table_name", 25), ("columns", 2287)].map(|(name, type_oid)| column(name, type_oid)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(list: &str) -> String {
        format!("{}{list}{}", TYPES.0, TYPES.1)
    }

    #[test]
    fn names_and_oids_are_read() {
        let text = question("(NULL, 16401), (E'app.mood', to_regtype(E'app.mood')::oid), (E'x', to_regtype(E'x'))");
        let expected = vec![Asked::Oid(16401), Asked::Name("app.mood"), Asked::Name("x")];
        assert_eq!(Lookup::recognise(&text), Some(Lookup::Types(expected)));
    }

    #[test]
    fn anything_else_goes_to_the_server() {
        let lists = [
            "",
            "(NULL, 1",
            "(NULL, 99999999999)",
            "(NULL, now())",
            "(E'a', to_regtype(E'b')::oid)",
            "(E'a\\'b', to_regtype(E'a\\'b')::oid)",
            "(NULL, 1)), (select 2",
        ];
        for list in lists {
            assert_eq!(Lookup::recognise(&question(list)), None, "{list}");
        }
        assert_eq!(Lookup::recognise("select 1"), None);
    }

    #[test]
    fn the_placeholder_is_recognised_by_its_table() {
        let text = |table: u32| format!("{}({table}, 1){}", TABLES.0, TABLES.1);
        assert_eq!(Lookup::recognise(&text(PLACEHOLDER_TABLE)), Some(Lookup::Placeholder));
        assert_eq!(Lookup::recognise(&text(1259)), None);
    }
}
