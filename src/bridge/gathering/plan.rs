use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    batch::Failure,
    error::{DbError, Error, Result, SqlState},
    execute::{Output, Script, Statement},
    sql::Dialect,
};

/// What a client has given and is to be given.
pub(in crate::bridge) struct Plan {
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    statements: Vec<Statement>,
    /// How many statements each of the client's queries has.
    counts: VecDeque<usize>,
    results: VecDeque<Output>,
    failure: Option<DbError>,
}

impl Plan {
    pub(super) fn new(name: String) -> Self {
        Self { name, state: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn note(&self, statement: Statement) {
        let mut state = self.lock();
        state.statements.push(statement);
        state.counts.push_back(1);
    }

    pub(super) fn note_script(&self, dialect: Dialect, text: &str) {
        let script = Script::new(dialect, text);
        let mut state = self.lock();
        state.counts.push_back(script.statements().len());
        state.statements.extend_from_slice(script.statements());
    }

    pub(super) fn take_statements(&self) -> Vec<Statement> {
        std::mem::take(&mut self.lock().statements)
    }

    /// Keeps what came of the statements for the client.
    pub(super) fn keep(&self, result: Result<Vec<Output>, Failure>) -> Result<()> {
        let mut state = self.lock();
        match result {
            Ok(outputs) => {
                state.results = outputs.into();
                Ok(())
            }
            Err(failure) => {
                state.failure = Some(failure.to_db_error());
                Err(failure.into())
            }
        }
    }

    /// Shows the result that comes next, of a query that is one statement.
    pub(super) fn see_next<T>(&self, see: impl FnOnce(&Output) -> T) -> Result<T> {
        let state = self.lock();
        match (&state.failure, state.results.front()) {
            (Some(failure), _) => Err(Error::db(failure.clone())),
            (None, Some(output)) => Ok(see(output)),
            (None, None) => Err(nothing_left()),
        }
    }

    /// Gives the results of the next query.
    pub(super) fn next(&self) -> Result<Vec<Output>> {
        let mut state = self.lock();
        if let Some(failure) = &state.failure {
            return Err(Error::db(failure.clone()));
        }
        let count = state.counts.pop_front().filter(|count| *count <= state.results.len()).ok_or_else(nothing_left)?;
        Ok(state.results.drain(..count).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_left() -> Error {
    let message = "more results were asked for than statements were gathered";
    Error::db(DbError::new("ERROR", Some(SqlState::PROTOCOL_VIOLATION), message))
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let State { statements, counts, results, failure } = &*state;
        f.debug_struct("Plan")
            .field("statements", &statements.len())
            .field("queries", &counts.len())
            .field("results", &results.len())
            .field("failure", failure)
            .finish_non_exhaustive()
    }
}
