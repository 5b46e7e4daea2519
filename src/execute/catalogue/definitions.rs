//! The request that reads a database's types.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{
    Oid,
    codec::{Attribute, Definition, DefinitionKind, builtin_name},
    error::{Error, Outcome, Result},
    http,
};

/// Gives a JSON object a type: every type that came with no PostgreSQL, but for the row types of tables, views and the like,
/// of which there may be thousands; the wanted ones; and all that these are made of.
///
/// It is sent with a `search_path` of `pg_catalog` alone, so that operators mean the server's own. `rngmultitypid` is new in
/// PostgreSQL 14, hence the detour. `array_out` has the OID 751 in each version, and tells true arrays from other types
/// with elements.
const QUERY: &str = "
with recursive wanted (oid) as (
  (select t.oid
   from pg_type t left join pg_type e on e.oid = t.typelem
   where t.oid >= 10000
     and not exists (select from pg_class c where c.oid in (t.typrelid, e.typrelid) and c.relkind <> 'c')
   union
   select unnest($1::oid[]))
  union
  select part.oid
  from wanted w
  join pg_type t on t.oid = w.oid
  left join pg_range r on t.oid in (r.rngtypid, (to_jsonb(r) ->> 'rngmultitypid')::oid)
  cross join lateral (
    select t.typelem
    union all select t.typbasetype
    union all select r.rngsubtype
    union all select r.rngtypid
    union all select a.atttypid
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  ) part (oid)
  where part.oid <> 0
)
select json_build_object(
  'oid', t.oid::int8,
  'schema', n.nspname,
  'name', t.typname,
  'array', t.typarray::int8,
  'kind', t.typtype,
  'is_array', t.typelem <> 0 and t.typoutput::oid = 751,
  'element', t.typelem::int8,
  'delimiter', ascii((select e.typdelim::text from pg_type e where e.oid = t.typelem)),
  'base', t.typbasetype::int8,
  'send', (select p.proname from pg_proc p where p.oid = t.typsend),
  'labels', case when t.typtype = 'e' then
    (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) end,
  'attributes', case when t.typtype = 'c' then
    (select json_agg(json_build_array(a.attname, a.atttypid::int8) order by a.attnum)
     from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) end,
  'subtype', (select r.rngsubtype::int8 from pg_range r where r.rngtypid = t.oid),
  'range', case when t.typtype = 'm' then
    (select r.rngtypid::int8 from pg_range r where (to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid) end)::text
from wanted w
join pg_type t on t.oid = w.oid
join pg_namespace n on n.oid = t.typnamespace";

/// The setting that the question needs, for its transaction.
pub(super) const SETTING: (&str, &str) = ("search_path", "pg_catalog, pg_temp");

/// Asks for the database's own types and the wanted ones.
pub(super) fn question(wanted: &BTreeSet<Oid>) -> http::Statement<'static> {
    let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
    http::Statement { text: QUERY.into(), params: vec![Some(format!("{{{}}}", wanted.join(",")).into())] }
}

/// Reads the definitions of the database's own types and of the wanted ones.
pub(super) async fn read(client: &http::Client, wanted: &BTreeSet<Oid>) -> Result<Vec<Definition>> {
    let (name, value) = SETTING;
    let client = client.with_more(&[(name.to_owned(), value.to_owned())]);
    let results = client.stream(http::Request::Single(question(wanted))).await?.collect().await?;
    let rows = results.iter().flat_map(http::QueryResult::rows);
    let texts: Vec<_> = rows.map(|row| Ok(row.text(0)?.unwrap_or_default())).collect::<Result<_>>()?;
    parse(texts.iter().map(AsRef::as_ref))
}

/// Reads the answer's values.
pub(super) fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Definition>> {
    let definitions = texts.map(|text| {
        let row: Row = serde_json::from_str(text).map_err(|error| {
            Error::protocol("the server's description of a type makes no sense", Outcome::NotExecuted)
                .with_source(error)
        })?;
        Ok(row.into_definition())
    });
    let definitions: Vec<_> = definitions.collect::<Result<_>>()?;
    // What is built in is known better here: it came along because something is made of it.
    Ok(definitions.into_iter().filter(|definition| builtin_name(definition.oid).is_none()).collect())
}

#[derive(Deserialize)]
struct Row {
    oid: Oid,
    schema: String,
    name: String,
    array: Oid,
    kind: String,
    is_array: bool,
    element: Oid,
    delimiter: Option<u8>,
    base: Oid,
    send: Option<String>,
    labels: Option<Vec<String>>,
    attributes: Option<Vec<(String, Oid)>>,
    subtype: Option<Oid>,
    range: Option<Oid>,
}

impl Row {
    fn into_definition(self) -> Definition {
        let kind = match (self.kind.as_str(), self.subtype, self.range) {
            ("b", ..) if self.is_array => {
                DefinitionKind::Array { element: self.element, delimiter: self.delimiter.unwrap_or(b',') }
            }
            ("b", ..) => DefinitionKind::Base { send: self.send.unwrap_or_default() },
            ("c", ..) => {
                let attributes = self.attributes.unwrap_or_default().into_iter();
                DefinitionKind::Composite {
                    attributes: attributes.map(|(name, type_oid)| Attribute { name, type_oid }).collect(),
                }
            }
            ("d", ..) => DefinitionKind::Domain { base: self.base },
            ("e", ..) => DefinitionKind::Enum { labels: self.labels.unwrap_or_default() },
            ("r", Some(subtype), _) => DefinitionKind::Range { subtype },
            ("m", _, Some(range)) => DefinitionKind::Multirange { range },
            _ => DefinitionKind::Pseudo,
        };
        Definition { oid: self.oid, schema: self.schema, name: self.name, array: self.array, kind }
    }
}
