use std::{
    any::TypeId,
    sync::{Arc, PoisonError},
};

use diesel::{
    QueryResult,
    connection::{InstrumentationEvent, StrQueryHelper, statement_cache::QueryFragmentForCachedStatement},
    debug_query,
    pg::Pg,
    query_builder::{AsQuery, QueryFragment, QueryId},
};
use diesel_async::{AsyncConnectionCore, SimpleAsyncConnection};
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use pgferry::execute::Statement;

use super::{
    AsyncFerryConnection,
    binds::Binds,
    error,
    notes::Note,
    results::{Results, failure},
};
use crate::{
    Row,
    statement::{Parsing, Prepared},
};

impl SimpleAsyncConnection for AsyncFerryConnection {
    /// Executes a script of statements without parameters.
    ///
    /// Several statements are one transaction unless the script itself says otherwise; over HTTP they are one request, and a
    /// script that says otherwise is refused.
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.run_script(query).await
    }
}

impl SimpleAsyncConnection for &AsyncFerryConnection {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.run_script(query).await
    }
}

impl AsyncConnectionCore for AsyncFerryConnection {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<BoxStream<'static, QueryResult<Row>>>>;
    type Stream<'conn, 'query> = BoxStream<'static, QueryResult<Row>>;
    type Row<'conn, 'query> = Row;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        Query::new(self, &source.as_query()).load().boxed()
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        Query::new(self, &source).count().boxed()
    }
}

/// For queries that are polled together.
impl<'a> AsyncConnectionCore for &'a AsyncFerryConnection {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'a, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'a, QueryResult<BoxStream<'static, QueryResult<Row>>>>;
    type Stream<'conn, 'query> = BoxStream<'static, QueryResult<Row>>;
    type Row<'conn, 'query> = Row;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        let connection = *self;
        Query::new(connection, &source.as_query()).load().boxed()
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        let connection = *self;
        Query::new(connection, &source).count().boxed()
    }
}

impl AsyncFerryConnection {
    async fn run_script(&self, script: &str) -> QueryResult<()> {
        let shown = StrQueryHelper::new(script);
        self.tell(InstrumentationEvent::start_query(&shown));
        let result = self.try_script(script).await;
        self.tell(InstrumentationEvent::finish_query(&shown, result.as_ref().err()));
        result
    }

    async fn try_script(&self, script: &str) -> QueryResult<()> {
        error::refuse_nul(script)?;
        let mut answers = self.session.batch_execute(script);
        // Its results are of no interest, only how it ends.
        let result = loop {
            match answers.next().await {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.notes.add(Note::of(&answers, result.is_err()).of_script(script));
        result.map_err(|error| failure(error, &answers))
    }

    /// Finds the statement in the cache, or puts it there; nothing is sent, since it is parsed with its first execution.
    fn prepare(&self, id: Option<TypeId>, text: &Text, binds: Binds) -> QueryResult<(Statement, Parsing)> {
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        let mut instrumentation = self.instrumentation.lock().unwrap_or_else(PoisonError::into_inner);
        let (prepare, instrumentation) = (Prepared::new, &mut **instrumentation);
        let prepared =
            statements.cached_statement_non_generic(id, text, &Pg, &binds.types, (), prepare, &mut *instrumentation)?;
        prepared.tell_another_attempt(instrumentation);
        Ok((prepared.with(binds.values), prepared.parsing.clone()))
    }

    pub(super) fn tell(&self, event: InstrumentationEvent<'_>) {
        let mut instrumentation = self.instrumentation.lock().unwrap_or_else(PoisonError::into_inner);
        instrumentation.on_connection_event(event);
    }
}

/// A query of diesel's, taken apart: what its future holds must not depend on the query's type, which may be neither `Send` nor of
/// the future's lifetime.
struct Query<'a> {
    connection: &'a AsyncFerryConnection,
    id: Option<TypeId>,
    text: QueryResult<Text>,
    binds: QueryResult<Binds>,
}

/// A query's text, as the statement cache asks for it.
struct Text {
    text: String,
    is_safe_to_cache: bool,
}

impl QueryFragmentForCachedStatement<Pg> for Text {
    fn construct_sql(&self, _: &Pg) -> QueryResult<String> {
        Ok(self.text.clone())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(self.is_safe_to_cache)
    }
}

impl<'a> Query<'a> {
    fn new<T>(connection: &'a AsyncFerryConnection, query: &T) -> Self
    where
        T: QueryFragment<Pg> + QueryId,
    {
        connection.tell(InstrumentationEvent::start_query(&debug_query::<Pg, _>(query)));
        Self { connection, id: T::query_id(), text: Text::new(query), binds: Binds::collect(query, &connection.types) }
    }

    async fn load(self) -> QueryResult<BoxStream<'static, QueryResult<Row>>> {
        let (connection, shown) = (self.connection, self.shown());
        let result = match self.start().await {
            Ok(results) => results.rows().await,
            Err(error) => Err(error),
        };
        connection.tell(InstrumentationEvent::finish_query(&StrQueryHelper::new(&shown), result.as_ref().err()));
        result
    }

    async fn count(self) -> QueryResult<usize> {
        let (connection, shown) = (self.connection, self.shown());
        let result = match self.start().await {
            Ok(results) => results.count().await,
            Err(error) => Err(error),
        };
        connection.tell(InstrumentationEvent::finish_query(&StrQueryHelper::new(&shown), result.as_ref().err()));
        result
    }

    fn shown(&self) -> String {
        self.text.as_ref().map(|text| text.text.clone()).unwrap_or_default()
    }

    /// Hands the query over, behind a look-up of the types that it needs.
    async fn start(self) -> QueryResult<Results> {
        let Self { connection, id, text, binds } = self;
        let (text, mut binds) = (text?, binds?);
        error::refuse_nul(&text.text)?;
        binds.resolve(&connection.types, &connection.session).await?;
        let (statement, parsing) = connection.prepare(id, &text, binds)?;
        Ok(Results { answers: connection.session.execute(statement), notes: Arc::clone(&connection.notes), parsing })
    }
}

impl Text {
    fn new(query: &dyn QueryFragmentForCachedStatement<Pg>) -> QueryResult<Self> {
        Ok(Self { text: query.construct_sql(&Pg)?, is_safe_to_cache: query.is_safe_to_cache_prepared(&Pg)? })
    }
}
