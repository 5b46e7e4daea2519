use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use crate::Oid;

/// A column of a result, as the server describes it.
///
/// As JSON it has the seven keys of PROTOCOL.md, section 2, in their order. Reading tolerates keys that are missing, which
/// count as an empty name or 0, and keys that are unknown.
///
/// # Example
///
/// ```
/// use pgferry::http::wire::Field;
///
/// let field: Field = serde_json::from_str(r#"{"name":"id","dataTypeID":23,"dataTypeSize":4,"dataTypeModifier":-1}"#)?;
/// assert_eq!((field.name.as_str(), field.type_oid, field.table_oid), ("id", 23, 0));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Field {
    /// The column's name; a result may have one name several times.
    pub name: String,
    /// The type, as in `pg_type.oid`.
    #[serde(rename = "dataTypeID")]
    pub type_oid: Oid,
    /// The table that the column comes from, as in `pg_class.oid`; 0 for an expression.
    #[serde(rename = "tableID")]
    pub table_oid: Oid,
    /// The column's number in that table, as in `pg_attribute.attnum`; 0 for an expression.
    #[serde(rename = "columnID")]
    pub column_id: i16,
    /// The type's size in bytes, as in `pg_type.typlen`; negative where values differ in size.
    #[serde(rename = "dataTypeSize")]
    pub type_size: i16,
    /// The type's modifier, as in `pg_attribute.atttypmod`; -1 where there is none.
    #[serde(rename = "dataTypeModifier")]
    pub type_modifier: i32,
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, type_oid, table_oid, column_id, type_size, type_modifier } = self;
        let mut field = serializer.serialize_struct("Field", 7)?;
        field.serialize_field("name", name)?;
        field.serialize_field("dataTypeID", type_oid)?;
        field.serialize_field("tableID", table_oid)?;
        field.serialize_field("columnID", column_id)?;
        field.serialize_field("dataTypeSize", type_size)?;
        field.serialize_field("dataTypeModifier", type_modifier)?;
        field.serialize_field("format", "text")?;
        field.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_come_back() {
        let text = concat!(
            r#"{"name":"d","dataTypeID":19,"tableID":16485,"columnID":2,"dataTypeSize":64,"dataTypeModifier":-1,"#,
            r#""format":"text"}"#
        );
        let field: Field = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&field).unwrap(), text);
    }
}
