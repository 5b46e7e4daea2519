use std::str;

use crate::{
    Oid,
    error::{Error, Outcome, Result},
    wire::DataRow,
};

/// The codes that sqlx 0.9 knows for `typtype` and `typcategory`; it fails at any other.
const TYPES: &str = "bcdepr";
const CATEGORIES: &str = "ABCDEGINPRSTUVX";

/// A type as the catalogue describes it to sqlx: values are text, and as Postgres sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) oid: Oid,
    pub(super) pretty_name: String,
    pub(super) catalog_name: String,
    pub(super) typtype: String,
    pub(super) category: String,
    pub(super) element: Option<Oid>,
    pub(super) base: Option<Oid>,
    pub(super) subtype: Option<Oid>,
    pub(super) labels: String,
    pub(super) attributes: String,
    pub(super) attribute_types: Vec<Oid>,
    /// Whether its name alone means it, by the search path.
    pub(super) is_visible: bool,
    /// The table whose row type it is, or an array of those, where a text must name it to give a value of it.
    pub(super) table: Option<String>,
    /// With its schema, quoted.
    pub(super) qualified_name: String,
    /// Without its schema, quoted.
    pub(super) quoted_name: String,
    /// Whether the answer that it is of has the row types of all tables.
    pub(super) is_with_tables: bool,
}

impl Row {
    /// Reads a row of the [`question`](super::question::question)'s answer.
    pub(super) fn read(row: &DataRow) -> Result<Self> {
        Self::try_read(row)
            .ok_or_else(|| Error::protocol("the catalogue's answer makes no sense", Outcome::NotExecuted))
    }

    fn try_read(row: &DataRow) -> Option<Self> {
        let values: Vec<Option<&str>> =
            row.values().map(|value| value.map(str::from_utf8).transpose()).collect::<Result<_, _>>().ok()?;
        let [
            oid,
            pretty_name,
            catalog_name,
            typtype,
            category,
            element,
            base,
            subtype,
            labels,
            attributes,
            attribute_types,
            is_visible,
            qualified_name,
            quoted_name,
            is_with_tables,
            table,
        ] = values[..]
        else {
            return None;
        };
        let oid_of = |value: Option<&str>| value.map(str::parse::<Oid>).transpose().ok();
        let attribute_types = attribute_types.unwrap_or_default().trim_matches(['{', '}']);
        Some(Self {
            oid: oid?.parse().ok()?,
            pretty_name: pretty_name?.to_owned(),
            catalog_name: catalog_name?.to_owned(),
            typtype: typtype?.to_owned(),
            category: category?.to_owned(),
            element: oid_of(element)?,
            base: oid_of(base)?,
            subtype: oid_of(subtype)?,
            labels: labels?.to_owned(),
            attributes: attributes?.to_owned(),
            attribute_types: attribute_types
                .split(',')
                .filter(|oid| !oid.is_empty())
                .map(str::parse)
                .collect::<Result<_, _>>()
                .ok()?,
            is_visible: is_visible? == "t",
            table: table.map(str::to_owned),
            qualified_name: qualified_name?.to_owned(),
            quoted_name: quoted_name?.to_owned(),
            is_with_tables: is_with_tables? == "t",
        })
    }

    /// Whether sqlx understands its codes.
    pub(super) fn is_known_kind(&self) -> bool {
        TYPES.contains(&self.typtype) && CATEGORIES.contains(&self.category)
    }

    /// Whether sqlx reads values of it without having been told of it: as whatever they are read as. What is made of other types it
    /// does not, and panics.
    pub(super) fn is_read_untold(&self) -> bool {
        self.is_known_kind() && (self.typtype == "e" || self.typtype == "b" && self.category != "A")
    }

    /// The types that sqlx must know before it understands this one.
    pub(super) fn dependencies(&self) -> impl Iterator<Item = Oid> + '_ {
        // Only of an array is it the elements' type; a point's, say, tells how it is subscripted.
        let element = self.element.filter(|_| self.category == "A");
        [element, self.base, self.subtype].into_iter().flatten().chain(self.attribute_types.iter().copied())
    }

    /// What sqlx asks for, in its order.
    pub(super) fn answer(&self, original_name: Option<&str>) -> Result<DataRow> {
        let oid = |value: Option<Oid>| value.map(|oid| oid.to_string());
        // Two types of one name in schemas off the search path would be mistaken for each other by the name that both have.
        let name = if self.is_visible || original_name.is_some() { &self.catalog_name } else { &self.pretty_name };
        let values = [
            Some(self.oid.to_string()),
            Some(self.pretty_name.clone()),
            Some(name.clone()),
            original_name.map(str::to_owned),
            Some(self.typtype.clone()),
            Some(self.category.clone()),
            oid(self.element),
            oid(self.base),
            oid(self.subtype),
            Some(self.labels.clone()),
            Some(self.attributes.clone()),
        ];
        let mut row = DataRow::builder(values.len())?;
        for value in values {
            match value {
                None => row.push_null(),
                Some(value) => row.push(|out| {
                    out.extend_from_slice(value.as_bytes());
                    Ok(())
                })?,
            }
        }
        row.finish()
    }
}
