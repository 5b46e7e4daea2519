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
const TYPES: &str = "\
    select n.nspname::pg_catalog.text, t.typname::pg_catalog.text, t.oid, t.typarray, pg_catalog.pg_type_is_visible(t.oid) \
    from pg_catalog.pg_type as t \
    join pg_catalog.pg_namespace as n on n.oid operator(pg_catalog.=) t.typnamespace \
    left join pg_catalog.pg_class as c on c.oid operator(pg_catalog.=) t.typrelid \
    where t.oid operator(pg_catalog.>=) 16384 and t.typarray operator(pg_catalog.<>) 0 \
    and coalesce(c.relkind operator(pg_catalog.=) 'c', true)";

/// What [`TYPES`] says of one type.
type Named = (String, String, u32, u32, bool);

impl FerryConnection {
    /// Looks up all types at once, so that not each costs a round trip of its own.
    fn look_up_types(&mut self) -> QueryResult<()> {
        let named: Vec<Named> = dsl::sql::<(Text, Text, Oid, Oid, Bool)>(TYPES).load(self)?;
        for (schema, name, oid, array_oid, is_visible) in named {
            if is_visible {
                let key = PgMetadataCacheKey::new(None, name.as_str().into());
                self.types.store_type(key, (oid, array_oid));
            }
            let key = PgMetadataCacheKey::new(Some(schema.into()), name.into());
            self.types.store_type(key, (oid, array_oid));
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
