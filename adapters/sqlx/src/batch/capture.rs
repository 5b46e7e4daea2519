use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream, stream::BoxStream};
use sqlx::{
    Describe, Either, Execute, Executor, Postgres, SqlStr,
    postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::sync::mpsc;

use super::rows::first;

/// How many rows may wait for their query.
const ROWS_AHEAD: usize = 64;

/// What a query gives its executor.
pub(super) struct Captured {
    pub(super) sql: SqlStr,
    /// None for a text without arguments, which may be several statements.
    pub(super) arguments: Option<PgArguments>,
}

pub(super) type Step = sqlx::Result<Either<PgQueryResult, PgRow>>;

pub(super) type Steps = mpsc::Receiver<Step>;

/// Takes what a query would execute, and gives it its results later, from wherever they come.
pub struct Capture {
    captured: Slot,
    steps: Steps,
}

type Slot = Arc<Mutex<Option<sqlx::Result<Captured>>>>;

/// The other end of a [`Capture`].
pub(super) struct Source {
    captured: Slot,
    pub(super) steps: mpsc::Sender<Step>,
}

impl Capture {
    pub(super) fn new() -> (Self, Source) {
        let captured = Slot::default();
        let (sender, steps) = mpsc::channel(ROWS_AHEAD);
        (Self { captured: Arc::clone(&captured), steps }, Source { captured, steps: sender })
    }

    /// Notes what a query executes, and gives what its results will come by. Nothing of the query itself is kept.
    pub(super) fn give<'q>(self, mut query: impl Execute<'q, Postgres>) -> Steps {
        let captured = query.take_arguments().map_err(sqlx::Error::Encode);
        let captured = captured.map(|arguments| Captured { sql: query.sql(), arguments });
        *self.captured.lock().unwrap_or_else(PoisonError::into_inner) = Some(captured);
        self.steps
    }
}

impl Source {
    /// Takes what the query has given, if it has been polled.
    pub(super) fn take(&self) -> Option<sqlx::Result<Captured>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}

impl<'c> Executor<'c> for Capture {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        stream::unfold(self.give(query), |mut steps| async move { steps.recv().await.map(|step| (step, steps)) })
            .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        first(self.give(query), Ok).boxed()
    }

    fn prepare_with<'e>(self, _: SqlStr, _: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        refuse()
    }

    fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        refuse()
    }
}

/// No query that is executed asks for this.
fn refuse<'e, T: Send + 'e>() -> Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'e>> {
    let error = sqlx::Error::Protocol("a batch prepares and describes nothing: use a pool".to_owned());
    std::future::ready(Err(error)).boxed()
}
