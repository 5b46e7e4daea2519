use std::any::Any;

use diesel::{
    QueryResult, RunQueryDsl,
    connection::MultiConnectionHelper,
    dsl,
    pg::{GetPgMetadataCache, Pg, PgMetadataCache, PgMetadataCacheKey, PgMetadataLookup},
    sql_types::{Bool, Oid, Text, TypeMetadata},
};

use crate::FerryConnection;

/// What diesel can ask of the types that came with no PostgreSQL: schema, name, OID, OID of the array, and whether the name
/// alone stands for it. Row types of tables, of which there may be thousands, are left to diesel's own look-up.
pub(crate) const TYPES: &str = "\
    select n.nspname::pg_catalog.text, t.typname::pg_catalog.text, t.oid, t.typarray, pg_catalog.pg_type_is_visible(t.oid) \
    from pg_catalog.pg_type as t \
    join pg_catalog.pg_namespace as n on n.oid operator(pg_catalog.=) t.typnamespace \
    left join pg_catalog.pg_class as c on c.oid operator(pg_catalog.=) t.typrelid \
    where t.oid operator(pg_catalog.>=) 16384 and t.typarray operator(pg_catalog.<>) 0 \
    and coalesce(c.relkind operator(pg_catalog.=) 'c', true)";

/// One type by its name `$1` and its schema `$2`, if any: its OID and that of the array.
#[cfg(feature = "async")]
pub(crate) const ONE_TYPE: &str = "\
    select t.oid, t.typarray from pg_catalog.pg_type as t \
    join pg_catalog.pg_namespace as n on n.oid operator(pg_catalog.=) t.typnamespace \
    where t.typname operator(pg_catalog.=) $1::pg_catalog.name \
    and case when $2::pg_catalog.text is null then pg_catalog.pg_type_is_visible(t.oid) \
    else n.nspname operator(pg_catalog.=) $2::pg_catalog.name end";

/// Keeps what [`TYPES`] says of one type.
pub(crate) fn store(types: &mut PgMetadataCache, (schema, name): (&str, &str), oids: (u32, u32), is_visible: bool) {
    if is_visible {
        types.store_type(PgMetadataCacheKey::new(None, name.to_owned().into()), oids);
    }
    types.store_type(PgMetadataCacheKey::new(Some(schema.to_owned().into()), name.to_owned().into()), oids);
}

/// What [`TYPES`] says of one type.
type Named = (String, String, u32, u32, bool);

impl FerryConnection {
    /// Looks up all types at once, so that not each costs a round trip of its own.
    fn look_up_types(&mut self) -> QueryResult<()> {
        let named: Vec<Named> = dsl::sql::<(Text, Text, Oid, Oid, Bool)>(TYPES).load(self)?;
        for (schema, name, oid, array_oid, is_visible) in named {
            store(&mut self.types, (&schema, &name), (oid, array_oid), is_visible);
        }
        self.types_looked_up = true;
        Ok(())
    }
}

impl GetPgMetadataCache for FerryConnection {
    /// diesel asks for it when it needs a type that only the database knows.
    fn get_metadata_cache(&mut self) -> &mut PgMetadataCache {
        if !self.types_looked_up {
            // Where it fails, diesel's own look-up comes next and tells the reason.
            let _ = self.look_up_types();
        }
        &mut self.types
    }
}

impl MultiConnectionHelper for FerryConnection {
    fn to_any<'a>(lookup: &mut <Pg as TypeMetadata>::MetadataLookup) -> &mut (dyn Any + 'a) {
        lookup.as_any()
    }

    fn from_any(lookup: &mut dyn Any) -> Option<&mut <Pg as TypeMetadata>::MetadataLookup> {
        lookup.downcast_mut::<Self>().map(|connection| connection as &mut dyn PgMetadataLookup)
    }
}
