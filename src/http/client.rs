use crate::{Oid, config::Config, error::Result, runtime::Runtime};
use bytes::Bytes;
use std::{borrow::Cow, sync::Arc};

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

/// A statement and its parameters in Postgres's text form; nothing is rewritten.
pub struct Statement<'a> {
    pub text: Cow<'a, str>,
    pub params: Vec<Option<Cow<'a, str>>>,
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

/// What a `ResultStream` gives: for each statement Fields, any number of Row, Complete.
pub enum Event {
    Fields(Arc<[Field]>),
    Row(RawRow),
    /// first word of the tag, and the count where there is one
    Complete {
        command: String,
        row_count: Option<u64>,
    },
}

/// name, type OID, table OID, column id, type size, type modifier of a column
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub type_oid: Oid,
    pub table_oid: Oid,
    pub column_id: i16,
    pub type_size: i16,
    pub type_modifier: i32,
}

/// A row of Postgres text values
pub struct RawRow {
    bytes: Bytes,
}
impl RawRow {
    pub fn len(&self) -> usize {
        todo!()
    }
    /// values in order; borrowed from the response where nothing was escaped
    pub fn values(&self) -> impl Iterator<Item = Result<Option<Cow<'_, str>>>> {
        std::iter::empty()
    }
}
