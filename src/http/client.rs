use super::wire::{Event, Statement};
use crate::{config::Config, error::Result, runtime::Runtime};

/// stub; see also query, query_one, query_opt, execute, batch for users
#[derive(Clone)]
pub struct Client {}

impl Client {
    /// a runtime of its own
    pub fn new(config: &Config) -> Result<Self> {
        todo!()
    }
    /// shares a runtime
    pub fn on(config: &Config, runtime: &Runtime) -> Result<Self> {
        todo!()
    }
    /// Sends statements (one: a single query; several: a batch in one transaction) and gives their results as they arrive.
    pub async fn stream(&self, request: Request<'_>) -> Result<ResultStream> {
        todo!()
    }
}

/// One request: a single statement, or a batch with its transaction's characteristics.
pub enum Request<'a> {
    Single(Statement<'a>),
    Batch { statements: &'a [Statement<'a>], options: BatchOptions },
}

#[derive(Clone, Copy, Debug, Default)]
pub struct BatchOptions {/* isolation_level, read_only, deferrable */}

/// The results of one request, in order, while they arrive.
pub struct ResultStream {}

impl ResultStream {
    /// None once every result has ended well. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        todo!()
    }
}
