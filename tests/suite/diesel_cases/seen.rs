//! What a program can see, as text.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{
    QueryResult,
    connection::{Instrumentation, InstrumentationEvent, TransactionManagerStatus},
    result::Error,
};

/// A result of any kind.
pub(super) fn outcome<T: Debug>(outcome: QueryResult<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(failure) => error(&failure),
    }
}

/// What became of a query, by the kind of its error: where each library has words of its own.
pub(super) fn kind<T: Debug>(outcome: QueryResult<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(Error::DatabaseError(kind, _)) => format!("{kind:?}"),
        Err(failure) => variant(&failure),
    }
}

/// All that a program may look at in an error.
pub(super) fn error(error: &Error) -> String {
    let Error::DatabaseError(kind, information) = error else { return format!("{}: {error}", variant(error)) };
    let mut said = format!("{kind:?}: {}", information.message());
    let fields = [
        ("details", information.details()),
        ("hint", information.hint()),
        ("table", information.table_name()),
        ("column", information.column_name()),
        ("constraint", information.constraint_name()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            write!(said, "; {name}: {value}").unwrap();
        }
    }
    if let Some(position) = information.statement_position() {
        write!(said, "; position: {position}").unwrap();
    }
    said
}

fn variant(error: &Error) -> String {
    format!("{error:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}

/// What a transaction manager knows.
pub(super) fn status(status: &TransactionManagerStatus) -> String {
    match status.transaction_depth() {
        Ok(depth) => format!("depth {}", depth.map_or(0, u32::from)),
        Err(_) => "in error".to_owned(),
    }
}

/// The events that an instrumentation was given, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// Returns those so far and forgets them.
    pub(super) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).join("\n")
    }
}

impl Instrumentation for Events {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let line = match event {
            InstrumentationEvent::StartQuery { query, .. } => format!("start {query}"),
            InstrumentationEvent::CacheQuery { sql, .. } => format!("cache {sql}"),
            InstrumentationEvent::FinishQuery { query, error: failure, .. } => {
                format!("finish {query} {:?}", failure.map(error))
            }
            InstrumentationEvent::BeginTransaction { depth, .. } => format!("begin {depth}"),
            InstrumentationEvent::CommitTransaction { depth, .. } => format!("commit {depth}"),
            InstrumentationEvent::RollbackTransaction { depth, .. } => format!("rollback {depth}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}
