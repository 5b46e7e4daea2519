use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{Acquire, Postgres, Transaction, pool::PoolConnection};

use super::Ferry;

impl<'c> Acquire<'c> for &Ferry {
    type Database = Postgres;

    type Connection = PoolConnection<Postgres>;

    fn acquire(self) -> BoxFuture<'c, sqlx::Result<Self::Connection>> {
        let ferry = self.clone();
        async move { Ferry::acquire(&ferry).await }.boxed()
    }

    fn begin(self) -> BoxFuture<'c, sqlx::Result<Transaction<'c, Postgres>>> {
        let ferry = self.clone();
        async move { Ferry::begin(&ferry).await }.boxed()
    }
}
