use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{
    FromRow, IntoArguments, Postgres, RawSql,
    postgres::PgRow,
    query::{Map, Query as Rows, QueryAs, QueryScalar},
};

use super::capture::Capture;

/// A query whose rows a [`Batch`](super::Batch) can fetch: what [`sqlx::query`], [`query_as`](sqlx::query_as()),
/// [`query_scalar`](sqlx::query_scalar()) and [`raw_sql`](sqlx::raw_sql) make, mapped or not, and what sqlx's macros make.
#[diagnostic::on_unimplemented(
    message = "a batch cannot fetch the rows of `{Self}`",
    label = "neither `sqlx::query`, `query_as`, `query_scalar`, `raw_sql` for Postgres nor one of their macros made this",
    note = "what it gives must be `Send`, and must not borrow: it outlives the query"
)]
pub trait Query<'q>: Fetch<'q> {}

pub(super) mod sealed {
    use super::*;

    pub trait Fetch<'q>: Send + 'q {
        /// What a row becomes.
        type Output: Send + 'static;

        #[doc(hidden)]
        fn all(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Vec<Self::Output>>>;

        #[doc(hidden)]
        fn optional(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Option<Self::Output>>>;
    }
}

use sealed::Fetch;

macro_rules! fetch {
    () => {
        fn all(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Vec<Self::Output>>> {
            self.fetch_all(from).boxed()
        }

        fn optional(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Option<Self::Output>>> {
            self.fetch_optional(from).boxed()
        }
    };
}

impl<'q, A> Query<'q> for Rows<'q, Postgres, A> where A: Send + IntoArguments<Postgres> + 'q {}

impl<'q, A> Fetch<'q> for Rows<'q, Postgres, A>
where
    A: Send + IntoArguments<Postgres> + 'q,
{
    type Output = PgRow;

    fetch!();
}

impl<'q, O, A> Query<'q> for QueryAs<'q, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'q,
    O: Send + Unpin + for<'r> FromRow<'r, PgRow> + 'static,
{
}

impl<'q, O, A> Fetch<'q> for QueryAs<'q, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'q,
    O: Send + Unpin + for<'r> FromRow<'r, PgRow> + 'static,
{
    type Output = O;

    fetch!();
}

impl<'q, O, A> Query<'q> for QueryScalar<'q, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'q,
    O: Send + Unpin + 'static,
    (O,): Send + Unpin + for<'r> FromRow<'r, PgRow>,
{
}

impl<'q, O, A> Fetch<'q> for QueryScalar<'q, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'q,
    O: Send + Unpin + 'static,
    (O,): Send + Unpin + for<'r> FromRow<'r, PgRow>,
{
    type Output = O;

    fetch!();
}

impl<'q, F, O, A> Query<'q> for Map<'q, Postgres, F, A>
where
    A: Send + IntoArguments<Postgres> + 'q,
    F: FnMut(PgRow) -> sqlx::Result<O> + Send + 'q,
    O: Send + Unpin + 'static,
{
}

impl<'q, F, O, A> Fetch<'q> for Map<'q, Postgres, F, A>
where
    A: Send + IntoArguments<Postgres> + 'q,
    F: FnMut(PgRow) -> sqlx::Result<O> + Send + 'q,
    O: Send + Unpin + 'static,
{
    type Output = O;

    fetch!();
}

impl Query<'_> for RawSql {}

impl<'q> Fetch<'q> for RawSql {
    type Output = PgRow;

    fetch!();
}
