use std::sync::Arc;

use diesel::{
    QueryResult, connection::statement_cache::PrepareForCache, pg::PgTypeMetadata, result::Error::SerializationError,
};
use pgferry::{Oid, execute::Statement};

use crate::error;

/// A statement as the cache keeps it. Nothing was sent yet: the session parses it together with its first execution.
pub(crate) struct Prepared {
    text: Arc<str>,
    name: Option<u64>,
    param_types: Vec<Oid>,
}

impl Prepared {
    /// Has the signature of diesel's prepare functions, which here needs no connection.
    pub(crate) fn new(_: (), text: &str, cached: PrepareForCache, types: &[PgTypeMetadata]) -> QueryResult<Self> {
        error::refuse_nul(text)?;
        let param_types: Result<_, _> = types.iter().map(PgTypeMetadata::oid).collect();
        Ok(Self {
            text: text.into(),
            name: match cached {
                PrepareForCache::Yes { counter } => Some(counter),
                PrepareForCache::No => None,
            },
            param_types: param_types.map_err(|error| SerializationError(Box::new(error)))?,
        })
    }

    /// Returns one execution of it.
    pub(crate) fn with(&self, binds: Vec<Option<Vec<u8>>>) -> Statement {
        let mut statement = Statement::new(Arc::clone(&self.text));
        statement.name = self.name;
        statement.param_types.clone_from(&self.param_types);
        statement.params = binds.into_iter().map(|value| value.map(Into::into)).collect();
        statement
    }
}
