use std::any::Any;

use diesel::{
    connection::MultiConnectionHelper,
    pg::{GetPgMetadataCache, Pg, PgMetadataCache, PgMetadataLookup},
    sql_types::TypeMetadata,
};

use crate::FerryConnection;

impl GetPgMetadataCache for FerryConnection {
    fn get_metadata_cache(&mut self) -> &mut PgMetadataCache {
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
