use diesel::{
    QueryResult, RunQueryDsl, Table,
    associations::HasTable,
    dsl::Update,
    expression::{MixedAggregates, ValidGrouping, is_aggregate},
    query_builder::{AsChangeset, IntoUpdateTarget},
    query_dsl::{LoadQuery, UpdateAndFetchResults},
};

use crate::FerryConnection;

impl<'query, Changes, Output> UpdateAndFetchResults<Changes, Output> for FerryConnection
where
    Changes: Copy + AsChangeset<Target = <Changes as HasTable>::Table> + IntoUpdateTarget,
    Update<Changes, Changes>: LoadQuery<'query, Self, Output>,
    <Changes::Table as Table>::AllColumns: ValidGrouping<()>,
    <<Changes::Table as Table>::AllColumns as ValidGrouping<()>>::IsAggregate:
        MixedAggregates<is_aggregate::No, Output = is_aggregate::No>,
{
    fn update_and_fetch(&mut self, changeset: Changes) -> QueryResult<Output> {
        diesel::update(changeset).set(changeset).get_result(self)
    }
}
