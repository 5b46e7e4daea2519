use super::{client::Client, directory::Directory, registry::Types, row::Row};
use crate::{
    Oid,
    error::{DbError, SqlState},
};

/// Types that sqlx knows by itself, and that show no more of a value than is known of it.
const BYTEA: Oid = 17;
const RECORD: Oid = 2249;
const RECORDS: Oid = 2287;

/// How deep arrays and ranges are looked into.
const DEEPEST: usize = 8;

/// How a client is to hear of a result's columns that have types which it was not told of.
///
/// sqlx asks for types when it prepares a statement, and one that it has not asked about makes it panic where a value is composite, an
/// array or a range. Such a column is described with a type that it knows instead: the rest of the row is read as ever.
#[derive(Debug, Default)]
pub(in crate::bridge) struct StandIns {
    /// The columns by their indexes, and the types to describe them with.
    pub(in crate::bridge) columns: Vec<(usize, Oid)>,
    /// What the client is told of those that it cannot decode.
    pub(in crate::bridge) notice: Option<DbError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StandIn {
    /// The type that had its name before, and is read alike.
    Namesake(Oid),
    /// One that tells nothing of the values' meaning.
    Raw(Oid),
}

impl Client {
    /// Whether the client knows a type, or a directory does.
    pub(in crate::bridge) fn is_known(&self, directory: &Directory, oid: Oid) -> bool {
        self.is_told(oid) || directory.has(oid)
    }

    /// Finds what stands in for those of a result's types that the client was not told of, and notes what it misses.
    pub(in crate::bridge) fn stand_ins(
        &mut self,
        types: &Types,
        directory: &Directory,
        columns: impl IntoIterator<Item = Oid>,
    ) -> StandIns {
        let mut found = StandIns::default();
        let mut missed = Vec::new();
        for (index, oid) in columns.into_iter().enumerate() {
            match self.stand_in(directory, oid) {
                None => {}
                Some(StandIn::Namesake(other)) => found.columns.push((index, other)),
                Some(StandIn::Raw(other)) => {
                    found.columns.push((index, other));
                    missed.push(oid);
                }
            }
        }
        types.want(missed.iter().copied());
        for oid in &missed {
            if directory.get(*oid).is_some_and(|row| row.table.is_some()) {
                // No text told of it, so whoever connects anew is to be told in any case.
                types.note_change();
            }
        }
        found.notice = missed.first().map(|oid| notice(directory, *oid));
        missed.retain(|oid| is_for_another_connection(directory, *oid));
        self.note_missed(missed);
        found
    }

    fn stand_in(&self, directory: &Directory, oid: Oid) -> Option<StandIn> {
        if self.is_told(oid) {
            return None;
        }
        let Some(row) = directory.get(oid) else { return Some(StandIn::Raw(BYTEA)) };
        if let Some(told) = self.namesake(directory, row) {
            return Some(StandIn::Namesake(told.oid));
        }
        (!row.is_read_untold()).then(|| StandIn::Raw(raw(directory, row)))
    }

    /// The type of the same name that the client was told of, if a value of the one is read as one of the other.
    fn namesake(&self, directory: &Directory, row: &Row) -> Option<&Row> {
        self.told_rows()
            .find(|told| told.qualified_name == row.qualified_name && self.is_alike(directory, told, row, 0))
    }

    fn is_alike(&self, directory: &Directory, told: &Row, row: &Row, depth: usize) -> bool {
        let is_part_alike = |told: Option<Oid>, part: Option<Oid>| match (told, part) {
            (Some(told), Some(part)) if told != part && depth < DEEPEST => {
                let rows = self.told_row(told).zip(directory.get(part));
                rows.is_some_and(|(told, part)| {
                    told.qualified_name == part.qualified_name && self.is_alike(directory, told, part, depth + 1)
                })
            }
            (told, part) => told == part,
        };
        (&told.typtype, &told.category) == (&row.typtype, &row.category)
            // A value says the types of its attributes, by their numbers.
            && told.attribute_types == row.attribute_types
            && (row.category != "A" || is_part_alike(told.element, row.element))
            && is_part_alike(told.base, row.base)
            && is_part_alike(told.subtype, row.subtype)
    }
}

/// What stands in for a type that has no namesake.
fn raw(directory: &Directory, row: &Row) -> Oid {
    let is_composite = |row: &Row| row.typtype == "c";
    if is_composite(row) {
        RECORD
    } else if row.category == "A" && row.element.and_then(|oid| directory.get(oid)).is_some_and(is_composite) {
        RECORDS
    } else {
        BYTEA
    }
}

/// Whether a connection that is opened now would be told of a type.
fn is_for_another_connection(directory: &Directory, oid: Oid) -> bool {
    !directory.has(oid) || directory.can_tell(oid)
}

fn notice(directory: &Directory, oid: Oid) -> DbError {
    let name = directory.get(oid).map_or_else(|| format!("with OID {oid}"), |row| row.qualified_name.clone());
    let (message, hint) = if is_for_another_connection(directory, oid) {
        (
            format!("a column has the type {name}, which is newer than what sqlx asked of types on this connection"),
            "its values can be decoded on another connection: a pool opens one when this is given back to it",
        )
    } else {
        (format!("a column has the type {name}, which sqlx does not understand"), "cast it to text in the statement")
    };
    DbError { hint: Some(hint.to_owned()), ..DbError::new("WARNING", Some(SqlState::from_code("01000")), message) }
}
