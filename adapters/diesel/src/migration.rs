use diesel::{
    QueryResult, RunQueryDsl,
    migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection},
};

use crate::FerryConnection;

impl MigrationConnection for FerryConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        diesel::sql_query(CREATE_MIGRATIONS_TABLE).execute(self)
    }
}
