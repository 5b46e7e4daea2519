use crate::{Oid, wire::Column};

/// The table of a column that stands for all that are not known yet: no table has this OID.
pub(in crate::bridge) const PLACEHOLDER_TABLE: Oid = Oid::MAX;

/// The column that stands for those of a statement that has not been executed, of a type that the client shall ask for.
pub(in crate::bridge) fn placeholder(type_oid: Oid) -> Column {
    Column { table_oid: PLACEHOLDER_TABLE, column_id: 1, ..column("(known when it is executed)", type_oid) }
}

/// The columns of an answer to sqlx's question for types.
pub(super) fn of_types() -> Vec<Column> {
    const CHAR: Oid = 18;
    const NAME: Oid = 19;
    const TEXT: Oid = 25;
    const OID: Oid = 26;
    const NAMES: Oid = 1003;
    const RECORDS: Oid = 2287;
    [
        ("oid", OID),
        ("pretty_name", TEXT),
        ("catalog_name", NAME),
        ("original_name", TEXT),
        ("typtype", CHAR),
        ("typcategory", CHAR),
        ("typelem", OID),
        ("typbasetype", OID),
        ("rngsubtype", OID),
        ("enum_labels", NAMES),
        ("record_attributes", RECORDS),
    ]
    .map(|(name, type_oid)| column(name, type_oid))
    .into()
}

fn column(name: &str, type_oid: Oid) -> Column {
    Column { name: name.to_owned(), table_oid: 0, column_id: 0, type_oid, type_size: -1, type_modifier: -1 }
}
