use super::quoting::identifier;
use crate::Oid;

/// What `pg_type` and its neighbours say of one type.
///
/// See the manual's chapter on [`pg_type`](https://www.postgresql.org/docs/current/catalog-pg-type.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// `pg_type.oid`.
    pub oid: Oid,
    /// The name of the type's schema, unquoted.
    pub schema: String,
    /// `pg_type.typname`, unquoted.
    pub name: String,
    /// The type of its arrays; 0 if there is none.
    pub array: Oid,
    /// What the type is and what it is made of.
    pub kind: DefinitionKind,
}

/// What a type is and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefinitionKind {
    /// A type that is not made of others.
    Base {
        /// The name of the function that makes its binary form, `pg_proc.proname` of `typsend`; empty if there is none.
        send: String,
    },
    /// A list of labels.
    Enum {
        /// The labels in their order.
        labels: Vec<String>,
    },
    /// Another type with constraints.
    Domain {
        /// The type below it, which may be a domain too.
        base: Oid,
    },
    /// An array of any dimensions.
    Array {
        /// The type of the elements.
        element: Oid,
        /// What stands between the elements in text: the element type's `typdelim`.
        delimiter: u8,
    },
    /// A composite type or a table's row type.
    Composite {
        /// The attributes in their order, without dropped ones.
        attributes: Vec<Attribute>,
    },
    /// A range.
    Range {
        /// The type of the bounds.
        subtype: Oid,
    },
    /// A list of ranges.
    Multirange {
        /// The type of the ranges.
        range: Oid,
    },
    /// A type that no column can have, such as `void` and `record`.
    Pseudo,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's name, unquoted.
    pub name: String,
    /// The attribute's type.
    pub type_oid: Oid,
}

impl Definition {
    /// Returns the type's name as a cast takes it: qualified, and quoted where needed.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::codec::{Definition, DefinitionKind};
    ///
    /// let kind = DefinitionKind::Enum { labels: vec!["sad".into(), "happy".into()] };
    /// let mood = Definition { oid: 16400, schema: "app".into(), name: "Mood".into(), array: 16399, kind };
    /// assert_eq!(mood.cast_name(), r#""app"."Mood""#);
    /// ```
    pub fn cast_name(&self) -> String {
        identifier(&self.schema, &self.name)
    }
}
