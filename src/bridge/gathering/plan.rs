use std::{
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
    counts: Vec<usize>,
    /// What each of them gave, until it is read.
    results: Vec<Option<Vec<Output>>>,
    /// The query whose result is read.
    current: usize,
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
        state.counts.push(1);
    }

    pub(super) fn note_script(&self, dialect: Dialect, text: &str) {
        let script = Script::new(dialect, text);
        let mut state = self.lock();
        state.counts.push(script.statements().len());
        state.statements.extend_from_slice(script.statements());
    }

    pub(super) fn take_statements(&self) -> Vec<Statement> {
        std::mem::take(&mut self.lock().statements)
    }

    /// Keeps what came of the statements for the client.
    pub(super) fn keep(&self, result: Result<Vec<Output>, Failure>) -> Result<()> {
        let mut state = self.lock();
        let counts = std::mem::take(&mut state.counts);
        match result {
            Ok(outputs) => {
                let mut outputs = outputs.into_iter();
                state.results = counts.into_iter().map(|count| Some(outputs.by_ref().take(count).collect())).collect();
                Ok(())
            }
            Err(failure) => {
                state.failure = Some(failure.to_db_error());
                Err(failure.into())
            }
        }
    }

    /// Makes a query's result the one that is read.
    pub(super) fn turn_to(&self, query: usize) {
        self.lock().current = query;
    }

    /// Shows the current result, of a query that is one statement.
    pub(super) fn see<T>(&self, see: impl FnOnce(&Output) -> T) -> Result<T> {
        let state = self.lock();
        if let Some(failure) = &state.failure {
            return Err(Error::db(failure.clone()));
        }
        let outputs = state.results.get(state.current).and_then(Option::as_ref);
        outputs.and_then(|outputs| outputs.first()).map(see).ok_or_else(no_result)
    }

    /// Gives the current result.
    pub(super) fn take_result(&self) -> Result<Vec<Output>> {
        let mut state = self.lock();
        if let Some(failure) = &state.failure {
            return Err(Error::db(failure.clone()));
        }
        let current = state.current;
        state.results.get_mut(current).and_then(Option::take).ok_or_else(no_result)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_result() -> Error {
    let message = "the batch has no such result";
    Error::db(DbError::new("ERROR", Some(SqlState::PROTOCOL_VIOLATION), message))
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let State { statements, counts, results, current, failure } = &*state;
        f.debug_struct("Plan")
            .field("statements", &statements.len())
            .field("queries", &counts.len())
            .field("results", &results.len())
            .field("current", current)
            .field("failure", failure)
            .finish_non_exhaustive()
    }
}
