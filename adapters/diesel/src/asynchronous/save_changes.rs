use diesel::{
    QueryResult, Table,
    associations::{HasTable, Identifiable},
    dsl::{Find, Update},
    query_builder::{AsChangeset, AsQuery, IntoUpdateTarget, UpdateStatement},
    query_dsl::methods::FindDsl,
};
use diesel_async::{RunQueryDsl, UpdateAndFetchResults, methods::LoadQuery};
use futures_util::{FutureExt, future::BoxFuture};

use super::AsyncFerryConnection;

impl<'b, Changes, Output, T, W> UpdateAndFetchResults<Changes, Output> for AsyncFerryConnection
where
    Output: Send + 'static,
    Changes: Copy + AsChangeset<Target = T> + Send + Identifiable<Table = T> + HasTable<Table = T>,
    T: Table + FindDsl<Changes::Id> + 'b,
    Find<T, Changes::Id>: IntoUpdateTarget<Table = T, WhereClause = W>,
    UpdateStatement<T, W, Changes::Changeset>: AsQuery,
    Update<Changes, Changes>: LoadQuery<'b, Self, Output>,
    W: Send + 'b,
    Changes::Changeset: Send + 'b,
    T::FromClause: Send,
{
    fn update_and_fetch<'conn, 'changes>(
        &'conn mut self,
        changeset: Changes,
    ) -> BoxFuture<'changes, QueryResult<Output>>
    where
        Changes: 'changes,
        Changes::Changeset: 'changes,
        'conn: 'changes,
        Self: 'changes,
    {
        async move { diesel::update(changeset).set(changeset).get_result(self).await }.boxed()
    }
}
