use anyhow::Result;
use chrono::{DateTime, Utc};
use diesel::{PgConnection, pg::Pg, prelude::*, sql_types::Integer};
use diesel_async::AsyncPgConnection;
use pgferry_diesel::{AsyncFerryConnection, FerryConnection};
use tokio::runtime::Runtime;

diesel::table! {
    items (id) {
        id -> BigInt,
        name -> Text,
        made -> Timestamptz,
        amount -> Double,
        good -> Bool,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = items, check_for_backend(Pg))]
#[expect(dead_code, reason = "they are only loaded")]
pub(crate) struct Item {
    pub(crate) id: i64,
    name: String,
    made: DateTime<Utc>,
    amount: f64,
    good: bool,
}

/// Any of diesel's connections.
#[expect(clippy::large_enum_variant, reason = "there are few")]
pub(crate) enum Connection {
    Libpq(PgConnection),
    Ferry(FerryConnection),
    TokioPostgres(AsyncPgConnection),
    AsyncFerry(AsyncFerryConnection),
}

/// Runs a query on whichever it is, on this thread.
macro_rules! on {
    ($connection:expr, $runtime:expr, $query:expr, $method:ident) => {
        match $connection {
            Connection::Libpq(connection) => RunQueryDsl::$method($query, connection),
            Connection::Ferry(connection) => RunQueryDsl::$method($query, connection),
            Connection::TokioPostgres(connection) => {
                $runtime.block_on(diesel_async::RunQueryDsl::$method($query, connection))
            }
            Connection::AsyncFerry(connection) => {
                $runtime.block_on(diesel_async::RunQueryDsl::$method($query, connection))
            }
        }
    };
}

impl Connection {
    /// Asks for one number; the statement is known after the first time.
    pub(crate) fn one(&mut self, runtime: &Runtime) -> Result<i32> {
        Ok(on!(self, runtime, diesel::select(1.into_sql::<Integer>()), get_result)?)
    }

    /// Loads all items.
    pub(crate) fn load(&mut self, runtime: &Runtime) -> Result<Vec<Item>> {
        Ok(on!(self, runtime, items::table.select(Item::as_select()), load)?)
    }
}
