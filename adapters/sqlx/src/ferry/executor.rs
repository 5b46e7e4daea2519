use futures_util::{
    FutureExt, Stream, StreamExt, TryFutureExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use pgferry::runtime::Runtime;
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

    async fn run(self, pool: &PgPool, steps: &mpsc::Sender<Sent>) {
        let Self { sql, statement, arguments, persistent } = self;
        let mut results = match (&statement, arguments) {
            (Some(statement), Some(arguments)) => {
                pool.fetch_many(statement.query_with(arguments).persistent(persistent))
            }
            (None, Some(arguments)) => pool.fetch_many(sqlx::query_with(sql, arguments).persistent(persistent)),
            (_, None) => pool.fetch_many(sqlx::raw_sql(sql)),
        };
        while let Some(step) = results.next().await {
            if steps.send(Sent::Step(step)).await.is_err() {
                return;
            }
        }
    }
}

/// What crosses from the endpoint's thread.
enum Sent {
    Step(Step),
    /// There are no more: without it the task has been lost.
    End,
}

/// Runs it on the endpoint's thread from when it is first polled. Dropped, it is dropped there, too, and the connection goes back as
/// sqlx has it: with its answer still to be read.
fn run(own_pool: OwnPool, wanted: Wanted) -> impl Stream<Item = Step> + Send {
    let runtime = own_pool.guard().bridge().runtime().clone();
    relay(&runtime, |steps| async move {
        match own_pool.pool() {
            Ok(pool) => wanted.run(&pool, &steps).await,
            // The receiver is gone when nobody wants to know.
            Err(error) => drop(steps.send(Sent::Step(Err(error))).await),
        }
    })
}

/// Gives the steps that a task on another thread takes. A task that is lost is no end but an error.
fn relay<T, F>(runtime: &Runtime, task: T) -> impl Stream<Item = Step> + Send + use<T, F>
where
    T: FnOnce(mpsc::Sender<Sent>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(ROWS_AHEAD);
    let task = task(sender.clone());
    runtime.spawn(async move {
        let running = std::pin::pin!(async {
            task.await;
            // The receiver is gone when nobody wants to know.
            let _ = sender.send(Sent::End).await;
        });
        futures_util::future::select(running, std::pin::pin!(sender.closed())).await;
    });
    stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Sent::Step(step)) => Some((step, Some(receiver))),
            Some(Sent::End) => None,
            None => Some((Err(sqlx::Error::WorkerCrashed), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::future::ready;

    use super::*;

    fn step() -> Sent {
        Sent::Step(Ok(Either::Left(PgQueryResult::default())))
    }

    #[tokio::test]
    async fn what_has_ended_ends() {
        let runtime = Runtime::start().unwrap();
        let steps = relay(&runtime, |steps| async move {
            for _ in 0..3 * ROWS_AHEAD {
                assert!(steps.send(step()).await.is_ok());
            }
        });
        assert_eq!(steps.filter(|step| ready(step.is_ok())).count().await, 3 * ROWS_AHEAD);
    }

    #[tokio::test]
    async fn a_task_that_is_lost_is_no_end() {
        let runtime = Runtime::start().unwrap();
        let steps = relay(&runtime, |steps| async move {
            assert!(steps.send(step()).await.is_ok());
            panic!("lost on purpose");
        });
        let steps: Vec<Step> = steps.collect().await;
        assert!(matches!(steps[..], [Ok(_), Err(sqlx::Error::WorkerCrashed)]), "{steps:?}");
    }
}
