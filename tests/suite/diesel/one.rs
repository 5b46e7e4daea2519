use std::marker::PhantomData;

use diesel::{
    QueryResult,
    connection::LoadConnection,
    deserialize::{self, FromSql, QueryableByName},
    pg::Pg,
    query_dsl::{LoadQuery, RunQueryDsl},
    row::NamedRow,
};

/// The column `value` of a query's row.
#[derive(Debug, PartialEq)]
pub(super) struct One<ST, T> {
    pub(super) value: T,
    sql_type: PhantomData<ST>,
}

impl<ST, T> One<ST, T> {
    /// Runs a query and returns the value of its first row.
    pub(super) fn of<'query, C, Q>(query: Q, connection: &mut C) -> QueryResult<T>
    where
        C: LoadConnection<Backend = Pg>,
        Q: LoadQuery<'query, C, Self> + RunQueryDsl<C>,
    {
        query.get_result(connection).map(|one: Self| one.value)
    }
}

impl<ST, T: FromSql<ST, Pg>> QueryableByName<Pg> for One<ST, T> {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        Ok(Self { value: NamedRow::get::<ST, T>(row, "value")?, sql_type: PhantomData })
    }
}
