use std::collections::BTreeMap;

use anyhow::{Context, Result};
use pgferry::Oid;

use crate::tcp::Connection;

/// All that `pg_type` and its neighbours say of a type, in text.
const QUESTION: &str = include_str!("types.sql");

/// The types of a database by their OIDs.
#[derive(Debug)]
pub(crate) struct Types(BTreeMap<Oid, TypeEntry>);

/// A row of `pg_type` with its neighbours.
#[derive(Clone, Debug)]
pub(crate) struct TypeEntry {
    pub(crate) oid: Oid,
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Qualified and quoted.
    pub(crate) cast: String,
    /// Of its array type, or 0.
    pub(crate) array: Oid,
    pub(crate) delimiter: u8,
    /// The function that sends it; empty where there is none.
    pub(crate) send: String,
    pub(crate) kind: TypeKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TypeKind {
    Base,
    Array {
        element: Oid,
    },
    Enum {
        labels: Vec<String>,
    },
    Domain {
        base: Oid,
    },
    /// `relation` is the table or view whose rows it describes, qualified and quoted; empty for a type of its own.
    Composite {
        attributes: Vec<(String, Oid)>,
        relation: String,
    },
    Range {
        subtype: Oid,
    },
    Multirange {
        range: Oid,
    },
    Pseudo,
}

impl Types {
    pub(crate) fn read(connection: &mut Connection) -> Result<Self> {
        let rows = connection.script(QUESTION)?;
        let entries = rows.into_iter().map(|row| {
            let entry = entry(&row).with_context(|| format!("a row of the catalogue makes no sense: {row:?}"))?;
            anyhow::Ok((entry.oid, entry))
        });
        Ok(Self(entries.collect::<Result<_>>()?))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TypeEntry> {
        self.0.values()
    }

    pub(crate) fn get(&self, oid: Oid) -> Option<&TypeEntry> {
        self.0.get(&oid)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the types by what they are made of: those of a level need those of the levels before it only.
    pub(crate) fn levels(&self) -> Vec<Vec<&TypeEntry>> {
        let mut depths = BTreeMap::new();
        for &oid in self.0.keys() {
            self.depth(oid, &mut depths);
        }
        let mut levels: Vec<Vec<&TypeEntry>> = Vec::new();
        for entry in self.iter() {
            let depth = depths.get(&entry.oid).copied().unwrap_or(0);
            if levels.len() <= depth {
                levels.resize(depth + 1, Vec::new());
            }
            if let Some(level) = levels.get_mut(depth) {
                level.push(entry);
            }
        }
        levels
    }

    fn depth(&self, oid: Oid, depths: &mut BTreeMap<Oid, usize>) -> usize {
        if let Some(&depth) = depths.get(&oid) {
            return depth;
        }
        // Ends a cycle, if there ever is one.
        depths.insert(oid, 0);
        let parts = self.get(oid).map(TypeEntry::parts).unwrap_or_default();
        let depth = parts.iter().map(|&part| self.depth(part, depths) + 1).max().unwrap_or(0);
        depths.insert(oid, depth);
        depth
    }
}

impl TypeEntry {
    /// Returns the types that it is made of.
    pub(crate) fn parts(&self) -> Vec<Oid> {
        match &self.kind {
            TypeKind::Base | TypeKind::Enum { .. } | TypeKind::Pseudo => Vec::new(),
            TypeKind::Array { element: part }
            | TypeKind::Domain { base: part }
            | TypeKind::Range { subtype: part }
            | TypeKind::Multirange { range: part } => vec![*part],
            TypeKind::Composite { attributes, .. } => attributes.iter().map(|(_, oid)| *oid).collect(),
        }
    }
}

fn entry(row: &[Option<String>]) -> Result<TypeEntry> {
    let text = |index: usize| row.get(index).and_then(Option::as_deref).unwrap_or_default();
    let number = |index: usize| text(index).parse::<Oid>();
    let list = |index: usize| text(index).split('\u{1}').filter(|part| !part.is_empty()).map(str::to_owned);
    let kind = match text(7) {
        "array" => TypeKind::Array { element: number(8)? },
        "e" => TypeKind::Enum { labels: list(9).collect() },
        "d" => TypeKind::Domain { base: number(8)? },
        "c" => {
            let attributes = list(9).map(|pair| {
                let (oid, name) = pair.split_once(' ').context("an attribute without a type")?;
                anyhow::Ok((name.to_owned(), oid.parse()?))
            });
            TypeKind::Composite { attributes: attributes.collect::<Result<_>>()?, relation: text(10).to_owned() }
        }
        "r" => TypeKind::Range { subtype: number(8)? },
        "m" => TypeKind::Multirange { range: number(8)? },
        "p" => TypeKind::Pseudo,
        _ => TypeKind::Base,
    };
    Ok(TypeEntry {
        oid: number(0)?,
        schema: text(1).to_owned(),
        name: text(2).to_owned(),
        cast: text(3).to_owned(),
        array: number(4)?,
        delimiter: text(5).bytes().next().context("no delimiter")?,
        send: text(6).to_owned(),
        kind,
    })
}
