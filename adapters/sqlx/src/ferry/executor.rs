use futures_util::{FutureExt, StreamExt, TryFutureExt, TryStreamExt, future::BoxFuture, stream, stream::BoxStream};
use sqlx::{
    Describe, Either, Execute, Executor, PgPool, Postgres, SqlStr, Statement,
    postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::sync::mpsc;

use super::{Ferry, own_pool::OwnPool};

/// How many rows come ahead of whoever reads them.
const ROWS_AHEAD: usize = 64;

type Step = sqlx::Result<Either<PgQueryResult, PgRow>>;

impl<'p> Executor<'p> for &'_ Ferry {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let own_pool = self.open().map(|open| open.own_pool);
        let wanted = Wanted::by(query);
        async move { Ok(run(own_pool?, wanted?)) }.try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let mut steps = self.fetch_many(query);
        async move {
            while let Some(step) = steps.try_next().await? {
                if let Either::Right(row) = step {
                    return Ok(Some(row));
                }
            }
            Ok(None)
        }
        .boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'p: 'e,
    {
        let own_pool = self.open().map(|open| open.own_pool);
        let parameters = parameters.to_vec();
        async move { own_pool?.run(|pool| async move { pool.prepare_with(sql, &parameters).await }).await }.boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'p: 'e,
    {
        let own_pool = self.open().map(|open| open.own_pool);
        async move { own_pool?.run(|pool| async move { pool.describe(sql).await }).await }.boxed()
    }
}

/// What a query wants executed, owned so that it can cross to another thread.
struct Wanted {
    sql: SqlStr,
    statement: Option<PgStatement>,
    arguments: Option<PgArguments>,
    persistent: bool,
}

impl Wanted {
    fn by<'q>(mut query: impl Execute<'q, Postgres>) -> sqlx::Result<Self> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let statement = query.statement().cloned();
        let persistent = query.persistent();
        Ok(Self { sql: query.sql(), statement, arguments, persistent })
    }

    async fn run(self, pool: &PgPool, steps: &mpsc::Sender<Step>) {
        let Self { sql, statement, arguments, persistent } = self;
        let mut results = match (&statement, arguments) {
            (Some(statement), Some(arguments)) => {
                pool.fetch_many(statement.query_with(arguments).persistent(persistent))
            }
            (None, Some(arguments)) => pool.fetch_many(sqlx::query_with(sql, arguments).persistent(persistent)),
            (_, None) => pool.fetch_many(sqlx::raw_sql(sql)),
        };
        while let Some(step) = results.next().await {
            if steps.send(step).await.is_err() {
                return;
            }
        }
    }
}

/// Runs it on the endpoint's thread from when it is first polled. Dropped, it is dropped there, too, and the connection goes back as
/// sqlx has it: with its answer still to be read.
fn run(own_pool: OwnPool, wanted: Wanted) -> impl futures_util::Stream<Item = Step> + Send {
    let (sender, receiver) = mpsc::channel(ROWS_AHEAD);
    let runtime = own_pool.guard().bridge().runtime().clone();
    runtime.spawn(async move {
        let running = std::pin::pin!(async {
            match own_pool.pool() {
                Ok(pool) => wanted.run(&pool, &sender).await,
                // The receiver is gone when nobody wants to know.
                Err(error) => drop(sender.send(Err(error)).await),
            }
        });
        futures_util::future::select(running, std::pin::pin!(sender.closed())).await;
    });
    stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|step| (step, receiver)) })
}
