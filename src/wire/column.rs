use crate::Oid;

/// A column of a result, as a `RowDescription` tells it (manual, section 55.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name; several columns may share one.
    pub name: String,
    /// The table that it is a column of, else 0.
    pub table_oid: Oid,
    /// Its number in that table, from 1, else 0.
    pub column_id: i16,
    /// Its type.
    pub type_oid: Oid,
    /// The type's size in bytes (`pg_type.typlen`); negative where sizes differ.
    pub type_size: i16,
    /// The type's modifier (`pg_attribute.atttypmod`), such as a varchar's length; -1 where there is none.
    pub type_modifier: i32,
}
