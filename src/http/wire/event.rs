use std::sync::Arc;

use super::{Field, RawRow};

/// A part of a response, as it arrives: for each statement one `Fields`, any number of `Row`, one `Complete`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The columns of the rows that follow; none for a statement that gives no rows.
    Fields(Arc<[Field]>),
    /// A row.
    Row(RawRow),
    /// The end of a statement's result.
    Complete {
        /// The first word of Postgres's command tag (`CREATE` for `CREATE TABLE`); empty for an empty statement.
        command: String,
        /// The count in the command tag: rows returned or affected. `None` where the tag has none, as for DDL.
        row_count: Option<u64>,
    },
}
