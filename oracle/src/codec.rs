use std::sync::Arc;

use anyhow::{Context, Result};
use pgferry::{
    Oid,
    codec::{Attribute, Catalogue, Definition, DefinitionKind, RegNames, Type},
};

use crate::{
    tcp::Connection,
    types::{TypeEntry, TypeKind, Types},
};

/// Every object that a type of names can name, by the type's name.
const NAMED: [(&str, &str); 11] = [
    ("regproc", "pg_proc"),
    ("regprocedure", "pg_proc"),
    ("regoper", "pg_operator"),
    ("regoperator", "pg_operator"),
    ("regclass", "pg_class"),
    ("regtype", "pg_type"),
    ("regcollation", "pg_collation"),
    ("regconfig", "pg_ts_config"),
    ("regdictionary", "pg_ts_dict"),
    ("regnamespace", "pg_namespace"),
    ("regrole", "pg_roles"),
];

/// What the codec must know of a database.
#[derive(Debug)]
pub(crate) struct Codec {
    catalogue: Catalogue,
    names: Arc<RegNames>,
}

impl Codec {
    pub(crate) fn load(connection: &mut Connection, types: &Types) -> Result<Self> {
        let builtin = Catalogue::default();
        let unknown = types.iter().filter(|entry| builtin.by_oid(entry.oid).is_none());
        let catalogue = Catalogue::new(unknown.map(|entry| definition(entry, types)));
        let queries: Vec<String> = NAMED
            .iter()
            .map(|(name, catalogue)| format!("select '{name}'::regtype::oid, oid, oid::{name}::text from {catalogue}"))
            .collect();
        let rows = connection.script(&queries.join(" union all "))?;
        let names: Vec<_> = rows.iter().map(|row| named(row)).collect::<Result<_>>()?;
        Ok(Self { catalogue, names: Arc::new(RegNames::new(names)) })
    }

    /// Says where what the codec knows without a catalogue is not what the server's says.
    pub(crate) fn outdated(types: &Types) -> Vec<String> {
        let builtin = Catalogue::default();
        let pairs = types.iter().filter_map(|entry| Some((builtin.by_oid(entry.oid)?, definition(entry, types))));
        pairs
            .filter(|(known, found)| **known != *found && found.kind != DefinitionKind::Pseudo)
            .map(|(known, found)| format!("the codec knows {known:?}, but the server has {found:?}"))
            .collect()
    }

    /// Returns a type's conversion, or why there is none.
    pub(crate) fn conversion(&self, oid: Oid) -> Result<Type, String> {
        self.catalogue.conversion(oid, Some(&self.names)).map_err(|error| error.to_string())
    }
}

fn named(row: &[Option<String>]) -> Result<(Oid, Oid, String)> {
    let [Some(kind), Some(oid), Some(text)] = row else { anyhow::bail!("a name is missing: {row:?}") };
    Ok((kind.parse().context("a type's OID")?, oid.parse().context("an object's OID")?, text.clone()))
}

fn definition(entry: &TypeEntry, types: &Types) -> Definition {
    let TypeEntry { oid, schema, name, array, send, .. } = entry.clone();
    let kind = match entry.kind.clone() {
        TypeKind::Base => DefinitionKind::Base { send },
        TypeKind::Array { element } => {
            let delimiter = types.get(element).map_or(b',', |element| element.delimiter);
            DefinitionKind::Array { element, delimiter }
        }
        TypeKind::Enum { labels } => DefinitionKind::Enum { labels },
        TypeKind::Domain { base } => DefinitionKind::Domain { base },
        TypeKind::Composite { attributes, .. } => {
            let attributes = attributes.into_iter().map(|(name, type_oid)| Attribute { name, type_oid });
            DefinitionKind::Composite { attributes: attributes.collect() }
        }
        TypeKind::Range { subtype } => DefinitionKind::Range { subtype },
        TypeKind::Multirange { range } => DefinitionKind::Multirange { range },
        TypeKind::Pseudo => DefinitionKind::Pseudo,
    };
    Definition { oid, schema, name, array, kind }
}
