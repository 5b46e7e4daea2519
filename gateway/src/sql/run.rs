use std::{borrow::Cow, slice};

use pgferry::wire::{Client, Event, Execution, Format, Params, Statement, TransactionStatus};
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

/// How a request that did well left its session.
pub(super) struct Ended {
    /// Whether the session may serve another request.
    pub(super) reusable: bool,
}

/// Runs a request's queries and writes the answer. Where that is possible, the session's reset is queued behind them.
///
/// Not cancel safe: the session is then in the middle of a query, and only good for being cancelled and closed.
pub(super) async fn run<S>(
    client: &mut Client<S>,
    payload: &Payload,
    options: &Options,
    kinds: &ValueKinds,
    out: &mut Output,
) -> Result<Ended, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut runner = Runner { client, options, kinds, out, reusable: true };
    match payload {
        Payload::Single(query) => {
            runner.send(None, slice::from_ref(query)).await?;
            // Types that have to be looked up need the session once more.
            if options.mode(query.array_mode).raw && is_plain(&query.query) {
                runner.queue_reset().await?;
            }
            runner.results(None, slice::from_ref(query)).await?;
        }
        Payload::Batch(batch) => runner.batch(&batch.queries).await?,
    }
    Ok(Ended { reusable: runner.reusable })
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
    reusable: bool,
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
            self.send(begin, together).await?;
            self.results(begin.take(), together).await?;
            if rest.is_empty() {
                break;
            }
            self.out.raw(",")?;
            left = rest;
        }
        self.out.raw("]}")?;
        self.client.queue_simple_query("COMMIT").await.map_err(|error| Fault::from_statement(&error))?;
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

    /// Sends queries in one flight, behind what begins their transaction.
    async fn send(&mut self, begin: Option<&str>, queries: &[Query]) -> Result<(), Fault> {
        queries.iter().try_for_each(check)?;
        let values: Vec<Vec<_>> = queries.iter().map(values).collect();
        let queries = queries.iter().zip(&values).map(|(query, values)| text_statement(&query.query, values));
        let statements: Vec<_> = begin.into_iter().map(Statement::new).chain(queries).collect();
        self.client.queue_together(&statements).await.map_err(|error| Fault::from_statement(&error))
    }

    async fn queue_reset(&mut self) -> Result<(), Fault> {
        reset::queue(self.client).await.map_err(|error| Fault::from_statement(&error))
    }

    /// Writes the results of a flight.
    async fn results(&mut self, begin: Option<&str>, queries: &[Query]) -> Result<(), Fault> {
        let Self { client, options, kinds, out, reusable } = self;
        let mut flight = client.next_execution().ok_or_else(Fault::unreadable_response)?;
        if begin.is_some() {
            ended(&mut flight).await?;
        }
        let Some((last, others)) = queries.split_last() else { return rest(&mut flight).await };
        for query in others {
            let mut result = ResultWriter::new(options.mode(query.array_mode), out);
            let tag = result.read(&mut flight, kinds).await?;
            result.finish(&tag, kinds)?;
            out.raw(",")?;
        }
        let mut result = ResultWriter::new(options.mode(last.array_mode), out);
        let tag = result.read(&mut flight, kinds).await?;
        rest(&mut flight).await?;
        if let Some(unknown) = result.unknown_types(kinds) {
            let committed = client.transaction_status() == TransactionStatus::Idle;
            match look_up(client, &unknown, kinds).await {
                Ok(()) => {}
                // The statement has done its work, and must not be repeated because its result could have been prettier.
                Err(fault) if committed => {
                    tracing::debug!(message = fault.message(), "types could not be looked up");
                    *reusable = false;
                }
                Err(fault) => return Err(fault),
            }
        }
        result.finish(&tag, kinds)
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
