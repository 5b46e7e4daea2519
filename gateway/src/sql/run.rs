use std::{borrow::Cow, slice};

use pgferry::{
    Error, Outcome,
    wire::{Client, Event, Execution, Format, Params, Statement, TransactionStatus},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    look_up::look_up,
    output::Output,
    payload::{Payload, Query},
    plain::is_plain,
    request::{Batch, Options},
    result::ResultWriter,
    value_kind::ValueKinds,
};
use crate::reset;

/// How much of a batch's text and values is sent before the first of it is answered, in bytes: it is there a second time until
/// it is sent.
const TOGETHER: usize = 256 * 1024;

/// Runs a request's queries and writes the answer. Where that is possible, the session's reset is queued behind them.
///
/// Not cancel safe: the session is then in the middle of a query, and only good for being cancelled and closed.
pub(super) async fn run<S>(
    client: &mut Client<S>,
    payload: &Payload,
    options: &Options,
    kinds: &ValueKinds,
    out: &mut Output,
) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut runner = Runner { client, options, kinds, out, committed: false };
    match payload {
        Payload::Single(query) => {
            runner.learn(&mut None, query).await?;
            runner.send(None, slice::from_ref(query)).await?;
            if is_plain(&query.query) {
                runner.queue_reset().await?;
            }
            runner.results(None, slice::from_ref(query)).await
        }
        Payload::Batch(batch) => runner.batch(&batch.queries).await,
    }
}

/// A statement whose parameters and results are text.
pub(super) fn text_statement<'a>(text: &'a str, values: &'a [Option<Cow<'a, [u8]>>]) -> Statement<'a> {
    Statement { params: Params { format: Format::Text, values }, results: Format::Text, ..Statement::new(text) }
}

fn begin(batch: &Batch) -> String {
    let mut text = String::from("START TRANSACTION");
    if let Some(level) = batch.isolation_level {
        text.push_str(" ISOLATION LEVEL ");
        text.push_str(level.as_sql());
    }
    if batch.read_only {
        text.push_str(" READ ONLY");
    }
    if batch.deferrable {
        text.push_str(" DEFERRABLE");
    }
    text
}

struct Runner<'a, S> {
    client: &'a mut Client<S>,
    options: &'a Options,
    kinds: &'a ValueKinds,
    out: &'a mut Output,
    /// Whether something may have been committed, whatever becomes of the rest.
    committed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Runner<'_, S> {
    /// Runs queries as one transaction, with few round trips. COMMIT is sent only when all results were written, so that a
    /// response that is too large or that nobody waits for is not committed.
    async fn batch(&mut self, queries: &[Query]) -> Result<(), Fault> {
        let begin = begin(&self.options.batch);
        let mut begin = Some(begin.as_str());
        let mut left = queries;
        self.out.raw(r#"{"results":["#)?;
        loop {
            let (together, rest) = left.split_at_checked(self.together(left, begin.is_some())).unwrap_or((left, &[]));
            // Where types may have to be looked up, they are sent one by one.
            if let Some(query) = together.first() {
                self.learn(&mut begin, query).await?;
            }
            self.send(begin, together).await?;
            self.results(begin.take(), together).await?;
            if rest.is_empty() {
                break;
            }
            self.out.raw(",")?;
            left = rest;
        }
        self.out.raw("]}")?;
        self.client.queue_simple_query("COMMIT").await.map_err(|error| self.failed(error))?;
        self.queue_reset().await?;
        let commit = self.client.next_execution().ok_or_else(Fault::unreadable_response)?;
        commit.finish().await.map(drop).map_err(|error| Fault::from_statement(&error))
    }

    /// Counts the queries to be sent before the first of them is answered. What stands behind one that fails is then not
    /// executed, as if it had not been sent; but what may end the transaction or copies is the last.
    fn together(&self, queries: &[Query], begins: bool) -> usize {
        // Outside of a transaction, which a query has ended, each is one of its own.
        let in_transaction = begins || self.client.transaction_status() == TransactionStatus::Transaction;
        if !in_transaction || !self.options.mode(None).raw {
            return 1;
        }
        let mut size = 0;
        let ends = |query: &Query| {
            size += self::size(query);
            !is_plain(&query.query) || size >= TOGETHER
        };
        let together = queries.iter().position(ends).map_or(queries.len(), |last| last + 1);
        // One that cannot be sent fails when all before it did well.
        let sendable = queries.iter().take(together).take_while(|query| check(query).is_ok()).count();
        sendable.max(1)
    }

    /// Looks up those types of a query's result that are not known, before it is executed, so that its rows can be written as they
    /// come. What begins its transaction travels ahead of the question and is taken.
    async fn learn(&mut self, begin: &mut Option<&str>, query: &Query) -> Result<(), Fault> {
        if self.options.mode(query.array_mode).raw {
            return Ok(());
        }
        check(query)?;
        let begin = begin.take();
        if let Some(begin) = begin {
            self.client.queue_simple_query(begin).await.map_err(|error| self.failed(error))?;
        }
        self.client.queue_describe(&query.query).await.map_err(|error| self.failed(error))?;
        if begin.is_some() {
            let mut begun = self.client.next_execution().ok_or_else(Fault::unreadable_response)?;
            ended(&mut begun).await?;
        }
        let mut described = self.client.next_execution().ok_or_else(Fault::unreadable_response)?;
        let mut unknown = Vec::new();
        loop {
            match described.next().await {
                Ok(Some(Event::Columns(columns))) => {
                    let oids = columns.iter().map(|column| column.type_oid);
                    unknown.extend(oids.filter(|oid| self.kinds.get(*oid).is_none()));
                }
                Ok(Some(_)) => return Err(Fault::unreadable_response()),
                Ok(None) => break,
                Err(error) => return Err(self.failed(error)),
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        match look_up(self.client, &unknown, self.kinds).await {
            // A query is not refused because its result could be prettier, unless the failure has ended its transaction.
            Err(fault) if self.client.transaction_status() == TransactionStatus::Idle => {
                tracing::debug!(message = fault.message(), "types could not be looked up");
                Ok(())
            }
            looked_up => looked_up,
        }
    }

    /// Sends queries in one flight, behind what begins their transaction.
    async fn send(&mut self, begin: Option<&str>, queries: &[Query]) -> Result<(), Fault> {
        queries.iter().try_for_each(check)?;
        let values: Vec<Vec<_>> = queries.iter().map(values).collect();
        let queries = queries.iter().zip(&values).map(|(query, values)| text_statement(&query.query, values));
        let statements: Vec<_> = begin.into_iter().map(Statement::new).chain(queries).collect();
        self.client.queue_together(&statements).await.map_err(|error| self.failed(error))
    }

    async fn queue_reset(&mut self) -> Result<(), Fault> {
        reset::queue(self.client).await.map_err(|error| self.failed(error))
    }

    /// What an error means to the request: of a connection lost between two entries, that nothing was executed is true of the second
    /// alone.
    fn failed(&self, error: Error) -> Fault {
        let lost = self.committed && error.is_closed();
        Fault::from_statement(&if lost { error.with_outcome(Outcome::Unknown) } else { error })
    }

    /// Writes the results of a flight.
    async fn results(&mut self, begin: Option<&str>, queries: &[Query]) -> Result<(), Fault> {
        let Self { client, options, kinds, out, committed } = self;
        *committed |= !queries.iter().all(|query| is_plain(&query.query));
        let mut flight = client.next_execution().ok_or_else(Fault::unreadable_response)?;
        if begin.is_some() {
            ended(&mut flight).await?;
        }
        for (index, query) in queries.iter().enumerate() {
            if index > 0 {
                out.raw(",")?;
            }
            ResultWriter::new(options.mode(query.array_mode), out).write(&mut flight, kinds).await?;
        }
        rest(&mut flight).await
    }
}

fn check(query: &Query) -> Result<(), Fault> {
    if query.query.contains('\0') {
        return Err(Fault::bad_request("the query contains a NUL character, which Postgres cannot read"));
    }
    Ok(())
}

fn values(query: &Query) -> Vec<Option<Cow<'_, [u8]>>> {
    query.params.iter().map(|param| param.0.as_ref().map(|text| Cow::Borrowed(text.as_bytes()))).collect()
}

fn size(query: &Query) -> usize {
    query.query.len() + query.params.iter().flat_map(|param| &param.0).map(String::len).sum::<usize>()
}

/// Reads up to the end of a statement whose result nobody asked for.
async fn ended<S>(flight: &mut Execution<'_, S>) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match flight.next().await {
        Ok(Some(Event::Complete(_))) => Ok(()),
        Ok(_) => Err(Fault::unreadable_response()),
        Err(error) => Err(Fault::from_statement(&error)),
    }
}

/// Reads up to the end of a flight whose results were all read: it can still fail, as with a deferred constraint.
async fn rest<S>(flight: &mut Execution<'_, S>) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match flight.next().await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Fault::unreadable_response()),
        Err(error) => Err(Fault::from_statement(&error)),
    }
}
