use std::any::TypeId;

use diesel::{
    QueryResult,
    connection::{
        DebugQuery, DefaultLoadingMode, InstrumentationEvent, LoadConnection, SimpleConnection, StrQueryHelper,
        statement_cache::QueryFragmentForCachedStatement,
    },
    debug_query,
    expression::QueryMetadata,
    pg::Pg,
    query_builder::{Query, QueryFragment, QueryId, bind_collector::RawBytesBindCollector},
};
use pgferry::{execute::Output, sql};

use crate::{Cursor, FerryConnection, Row, error, statement::Prepared};

impl SimpleConnection for FerryConnection {
    /// Executes a script of statements without parameters.
    ///
    /// Several statements are one transaction unless the script itself says otherwise; over HTTP they are one request, and a
    /// script that says otherwise is refused.
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let shown = StrQueryHelper::new(query);
        self.observed(&shown, |connection| {
            error::refuse_nul(query)?;
            if sql::effect(query) == sql::Effect::Empty {
                return Err(error::empty_query());
            }
            let result = connection.session.batch_execute(query);
            result.map_err(|error| error::query_error(error, connection.session.is_usable()))
        })
    }
}

impl LoadConnection<DefaultLoadingMode> for FerryConnection {
    type Cursor<'conn, 'query> = Cursor;
    type Row<'conn, 'query> = Row;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Cursor>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        self.execute(&source).map(Cursor::new)
    }
}

type Binds = RawBytesBindCollector<Pg>;

impl FerryConnection {
    /// Executes any query of diesel's and waits for its whole result.
    pub(crate) fn execute<T>(&mut self, source: &T) -> QueryResult<Output>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.observed(&debug_query::<Pg, _>(source), |connection| {
            let mut binds = Binds::new();
            source.collect_binds(&mut binds, connection, &Pg)?;
            connection.execute_with(T::query_id(), source, binds)
        })
    }

    /// Not generic, so that it is compiled once rather than for every query of a program.
    fn execute_with(
        &mut self,
        id: Option<TypeId>,
        source: &dyn QueryFragmentForCachedStatement<Pg>,
        binds: Binds,
    ) -> QueryResult<Output> {
        let Binds { metadata, binds, .. } = binds;
        let instrumentation = &mut *self.instrumentation;
        let prepare = Prepared::new;
        let prepared =
            self.statements.cached_statement_non_generic(id, source, &Pg, &metadata, (), prepare, instrumentation)?;
        prepared.tell_another_attempt(&mut *self.instrumentation);
        let result = self.session.execute(prepared.with(binds));
        prepared.parsing.note(result.as_ref().err());
        let output = result.map_err(|error| error::query_error(error, self.session.is_usable()))?;
        if output.is_empty {
            return Err(error::empty_query());
        }
        Ok(output)
    }

    /// Runs one query between the events that instrumentations expect around it, and notes what it did to the transaction.
    fn observed<T>(&mut self, query: &dyn DebugQuery, run: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.instrumentation.on_connection_event(InstrumentationEvent::start_query(query));
        let result = run(self);
        self.note_transaction_status(result.is_err());
        self.instrumentation.on_connection_event(InstrumentationEvent::finish_query(query, result.as_ref().err()));
        result
    }
}
