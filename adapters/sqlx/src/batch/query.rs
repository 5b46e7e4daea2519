use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{
    FromRow, IntoArguments, Postgres, RawSql,
    postgres::PgRow,
    query::{Map, Query as Rows, QueryAs, QueryScalar},
};

use super::{capture::Capture, rows};

/// A query whose rows a [`Batch`](super::Batch) can fetch: what [`sqlx::query()`], [`query_as`](sqlx::query_as()),
/// [`query_scalar`](sqlx::query_scalar()) and [`raw_sql`](sqlx::raw_sql) make, mapped or not, and what sqlx's macros make.
#[diagnostic::on_unimplemented(
    message = "a batch cannot fetch the rows of `{Self}`",
    label = "neither `sqlx::query`, `query_as`, `query_scalar`, `raw_sql` for Postgres nor one of their macros made this",
    note = "what it gives must be `Send`, and must not borrow: it outlives the query"
)]
pub trait Query<'q>: Fetch<'q> {}

pub(super) mod sealed {
    use super::*;

    pub trait Fetch<'q> {
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
    ($make:expr) => {
        fn all(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Vec<Self::Output>>> {
            rows::all(from.give(self), $make).boxed()
        }

        fn optional(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Option<Self::Output>>> {
            rows::first(from.give(self), $make).boxed()
        }
    };
}

impl<A> Query<'_> for Rows<'_, Postgres, A> where A: Send + IntoArguments<Postgres> {}

impl<'q, A> Fetch<'q> for Rows<'_, Postgres, A>
where
    A: Send + IntoArguments<Postgres>,
{
    type Output = PgRow;

    fetch!(Ok);
}

impl<'a, O, A> Query<'_> for QueryAs<'a, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'a,
    O: Send + for<'r> FromRow<'r, PgRow> + 'static,
{
}

impl<'q, 'a, O, A> Fetch<'q> for QueryAs<'a, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'a,
    O: Send + for<'r> FromRow<'r, PgRow> + 'static,
{
    type Output = O;

    fetch!(|row| O::from_row(&row));
}

impl<'a, O, A> Query<'_> for QueryScalar<'a, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'a,
    O: Send + 'static,
    (O,): for<'r> FromRow<'r, PgRow>,
{
}

impl<'q, 'a, O, A> Fetch<'q> for QueryScalar<'a, Postgres, O, A>
where
    A: Send + IntoArguments<Postgres> + 'a,
    O: Send + 'static,
    (O,): for<'r> FromRow<'r, PgRow>,
{
    type Output = O;

    fetch!(|row| <(O,)>::from_row(&row).map(|(value,)| value));
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

    // Its function cannot be taken out, so it runs itself.
    fn all(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Vec<Self::Output>>> {
        self.fetch_all(from).boxed()
    }

    fn optional(self, from: Capture) -> BoxFuture<'q, sqlx::Result<Option<Self::Output>>> {
        self.fetch_optional(from).boxed()
    }
}

impl Query<'_> for RawSql {}

impl<'q> Fetch<'q> for RawSql {
    type Output = PgRow;

    fetch!(Ok);
}
