use std::collections::BTreeSet;

use crate::{
    Oid,
    codec::{Catalogue, DefinitionKind, RegNames},
    error::{Error, Outcome, Result},
    http,
};

/// The types whose values print as objects' names, each with its name and the catalogue that has the objects.
const KINDS: [(Oid, &str, &str); 11] = [
    (24, "regproc", "pg_proc"),
    (2202, "regprocedure", "pg_proc"),
    (2203, "regoper", "pg_operator"),
    (2204, "regoperator", "pg_operator"),
    (2205, "regclass", "pg_class"),
    (2206, "regtype", "pg_type"),
    (3734, "regconfig", "pg_ts_config"),
    (3769, "regdictionary", "pg_ts_dict"),
    (4089, "regnamespace", "pg_namespace"),
    (4096, "regrole", "pg_roles"),
    (4191, "regcollation", "pg_collation"),
];

/// Returns those of [`KINDS`] that a type is made of, or is itself.
pub(in crate::execute) fn kinds_in(catalogue: &Catalogue, oid: Oid) -> BTreeSet<Oid> {
    let (mut seen, mut left) = (BTreeSet::new(), vec![oid]);
    while let Some(oid) = left.pop() {
        let Some(definition) = catalogue.by_oid(oid).filter(|_| seen.insert(oid)) else { continue };
        match &definition.kind {
            DefinitionKind::Domain { base } => left.push(*base),
            DefinitionKind::Array { element, .. } => left.push(*element),
            DefinitionKind::Composite { attributes } => {
                left.extend(attributes.iter().map(|attribute| attribute.type_oid))
            }
            DefinitionKind::Range { subtype } => left.push(*subtype),
            DefinitionKind::Multirange { range } => left.push(*range),
            DefinitionKind::Base { .. } | DefinitionKind::Enum { .. } | DefinitionKind::Pseudo => {}
        }
    }
    KINDS.into_iter().map(|(kind, ..)| kind).filter(|kind| seen.contains(kind)).collect()
}

/// Reads the names that values of these types can have, as they are now, in one statement; what they look like depends on the
/// `search_path`, so it is the session's own.
///
/// They are read anew for each result: a name stands for another object as soon as one is dropped and created, or two are
/// renamed, and nothing in the value tells.
pub(in crate::execute) async fn read_names(client: &http::Client, kinds: &BTreeSet<Oid>) -> Result<RegNames> {
    let kinds = KINDS.iter().filter(|(kind, ..)| kinds.contains(kind));
    let selects = kinds.map(|(kind, type_name, table)| {
        format!("select {kind}, o.oid, o.oid::pg_catalog.{type_name}::pg_catalog.text from pg_catalog.{table} o")
    });
    let text = selects.collect::<Vec<_>>().join(" union all ");
    let results = client.stream(http::Request::Single(http::Statement::new(text))).await?.collect().await?;
    let unreadable = || Error::protocol("the server's names of objects make no sense", Outcome::NotExecuted);
    let rows = results.iter().flat_map(http::QueryResult::rows).map(|row| {
        let oid = |column: usize| row.text(column)?.and_then(|text| text.parse().ok()).ok_or_else(unreadable);
        Ok((oid(0)?, oid(1)?, row.get::<String>(2)?))
    });
    Ok(RegNames::new(rows.collect::<Result<Vec<_>>>()?))
}
