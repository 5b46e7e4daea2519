use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use diesel::{
    QueryResult,
    connection::{Instrumentation, InstrumentationEvent, statement_cache::PrepareForCache},
    pg::PgTypeMetadata,
    result::Error::SerializationError,
};
use pgferry::{Error, Oid, SqlState, execute::Statement};

use crate::error;

/// A statement as the cache keeps it. Nothing was sent yet: the session parses it together with its first execution.
pub(crate) struct Prepared {
    text: Arc<str>,
    name: Option<u64>,
    param_types: Vec<Oid>,
    pub(crate) parsing: Parsing,
}

/// Whether the server has taken a statement's text yet. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsing(Arc<AtomicU8>);

const TAKEN: u8 = 1;
const REFUSED: u8 = 2;

impl Prepared {
    /// Has the signature of diesel's prepare functions, which here needs no connection.
    pub(crate) fn new(_: (), text: &str, cached: PrepareForCache, types: &[PgTypeMetadata]) -> QueryResult<Self> {
        error::refuse_nul(text)?;
        let param_types: Result<_, _> = types.iter().map(PgTypeMetadata::oid).collect();
        Ok(Self {
            text: text.into(),
            name: match cached {
                PrepareForCache::Yes { counter } => Some(counter),
                PrepareForCache::No => None,
            },
            param_types: param_types.map_err(|error| SerializationError(Box::new(error)))?,
            parsing: Parsing::default(),
        })
    }

    /// Tells of another attempt to prepare what the server has refused before: diesel's own connections keep no such statement.
    pub(crate) fn tell_another_attempt(&self, instrumentation: &mut dyn Instrumentation) {
        if self.name.is_some() && self.parsing.0.load(Ordering::Acquire) == REFUSED {
            instrumentation.on_connection_event(InstrumentationEvent::cache_query(&self.text));
        }
    }

    /// Returns one execution of it.
    pub(crate) fn with(&self, binds: Vec<Option<Vec<u8>>>) -> Statement {
        let mut statement = Statement::new(Arc::clone(&self.text));
        statement.name = self.name;
        statement.param_types.clone_from(&self.param_types);
        statement.params = binds.into_iter().map(|value| value.map(Into::into)).collect();
        statement
    }
}

impl Parsing {
    /// Notes what an execution has shown.
    pub(crate) fn note(&self, error: Option<&Error>) {
        // What was taken once stays with the server.
        let shown = if error.is_some_and(is_of_text) { REFUSED } else { TAKEN };
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |known| (known != TAKEN).then_some(shown));
    }
}

/// Whether an error is found while a text is parsed: of its syntax and of the names in it, but not of privileges, which are looked at later.
fn is_of_text(error: &Error) -> bool {
    let code = error.code().map_or("", SqlState::as_str);
    code.starts_with("42") && code != "42501" || code == "3F000"
}
