use std::any::Any;

use diesel::{
    QueryResult, debug_query,
    pg::{Pg, PgQueryBuilder, PgTypeMetadata},
    query_builder::{QueryBuilder, QueryFragment},
    result::Error::SerializationError,
};
use pgferry::{
    Oid,
    execute::{Output, Statement},
};

use crate::error;

/// A query of a batch, and how its result is read.
pub(crate) struct Entry<B> {
    /// What instrumentations are shown.
    pub(crate) shown: String,
    pub(crate) text: QueryResult<String>,
    pub(crate) binds: QueryResult<B>,
    pub(crate) read: Read,
}

/// Gives a `QueryResult` of what the slot is of.
pub(crate) type Read = Box<dyn FnOnce(Output) -> Box<dyn Any + Send> + Send>;

impl<B> Entry<B> {
    pub(super) fn new<R: Send + 'static>(
        query: &impl QueryFragment<Pg>,
        binds: QueryResult<B>,
        read: impl FnOnce(Output) -> QueryResult<R> + Send + 'static,
    ) -> Self {
        Self {
            shown: debug_query::<Pg, _>(query).to_string(),
            text: text(query),
            binds,
            read: Box::new(move |output| Box::new(read(output))),
        }
    }
}

/// Makes a statement of a query's text, its parameters and their types.
pub(crate) fn statement(
    text: String,
    types: &[PgTypeMetadata],
    values: Vec<Option<Vec<u8>>>,
) -> QueryResult<Statement> {
    error::refuse_nul(&text)?;
    let oids: Result<Vec<Oid>, _> = types.iter().map(PgTypeMetadata::oid).collect();
    let mut statement = Statement::new(text);
    statement.param_types = oids.map_err(|error| SerializationError(Box::new(error)))?;
    statement.params = values.into_iter().map(|value| value.map(Into::into)).collect();
    Ok(statement)
}

fn text(query: &dyn QueryFragment<Pg>) -> QueryResult<String> {
    let mut builder = PgQueryBuilder::default();
    query.to_sql(&mut builder, &Pg)?;
    Ok(builder.finish())
}
