use std::{borrow::Cow, sync::Arc};

use pgferry::{
    Oid, Outcome,
    wire::{Client, Column, DataRow, Event, Format, Params, Statement, TransactionStatus},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    output::{Mode, Output, RowWriter},
    payload::{Payload, Query},
    request::{Batch, Options},
    value_kind::{Scalar, ValueKind, ValueKinds},
};

const COPY_REFUSED: &str = "COPY cannot be carried over HTTP: connect over a WebSocket to use it";

/// Tells of the types among `$1` that are arrays. Everything in it is named in full, since the caller may have a search path
/// of its own.
const LOOK_UP_ARRAYS: &str = "SELECT t.oid, t.typelem, t.typdelim FROM pg_catalog.pg_type t \
    WHERE t.oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND t.typcategory OPERATOR(pg_catalog.=) 'A' \
    AND t.typtype OPERATOR(pg_catalog.=) 'b' AND t.typlen OPERATOR(pg_catalog.=) -1";

/// How a request that did well left its session.
pub(super) struct Ended {
    /// Whether the session may serve another request.
    pub(super) reusable: bool,
}

/// Runs a request's queries and writes the answer.
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
    let mut reusable = true;
    match payload {
        Payload::Single(query) => {
            reusable &= statement(client, query, options.mode(query.array_mode), kinds, out).await?;
        }
        Payload::Batch(batch) => {
            command(client, &begin(&options.batch)).await?;
            out.raw(r#"{"results":["#)?;
            for (index, query) in batch.queries.iter().enumerate() {
                if index > 0 {
                    out.raw(",")?;
                }
                reusable &= statement(client, query, options.mode(query.array_mode), kinds, out).await?;
            }
            out.raw("]}")?;
            command(client, "COMMIT").await?;
        }
    }
    Ok(Ended { reusable })
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

/// Runs a statement whose result nobody asked for.
async fn command<S>(client: &mut Client<S>, text: &str) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let run = async { client.simple_query(text).await?.finish().await };
    run.await.map(drop).map_err(|error| Fault::from_statement(&error))
}

/// Runs one query and writes its result; tells whether the session is as good as before.
async fn statement<S>(
    client: &mut Client<S>,
    query: &Query,
    mode: Mode,
    kinds: &ValueKinds,
    out: &mut Output,
) -> Result<bool, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if query.query.contains('\0') {
        return Err(Fault::bad_request("the query contains a NUL character, which Postgres cannot read"));
    }
    let values: Vec<_> =
        query.params.iter().map(|param| param.0.as_ref().map(|text| Cow::Borrowed(text.as_bytes()))).collect();
    let limit = out.limit();
    let mut result = ResultWriter { mode, out, state: State::NoColumns };
    let mut tag = String::new();
    {
        let statement = text_statement(&query.query, &values);
        let mut execution = client.execute(&statement).await.map_err(|error| Fault::from_statement(&error))?;
        loop {
            match execution.next().await {
                Ok(Some(Event::Columns(columns))) => result.columns(columns, kinds)?,
                Ok(Some(Event::Row(row))) => {
                    result.row(row)?;
                    result.out.send().await?;
                }
                Ok(Some(Event::Complete(complete))) => tag = complete,
                Ok(Some(Event::Empty)) => {}
                Ok(None) => break,
                Err(error) if error.is_refused() => return Err(Fault::bad_request(COPY_REFUSED)),
                // Of a statement that is sent, it is the server's message that is too long.
                Err(error) if error.is_limit() && error.outcome() == Outcome::Unknown => {
                    return Err(Fault::response_too_large(limit));
                }
                Err(error) => return Err(Fault::from_statement(&error)),
            }
        }
    }
    let mut reusable = true;
    if let Some(unknown) = result.unknown_types(kinds) {
        let committed = client.transaction_status() == TransactionStatus::Idle;
        match look_up(client, &unknown, kinds).await {
            Ok(()) => {}
            // The statement has done its work, and must not be repeated because its result could have been prettier.
            Err(fault) if committed => {
                tracing::debug!(message = fault.message(), "types could not be looked up");
                reusable = false;
            }
            Err(fault) => return Err(fault),
        }
    }
    result.finish(&tag, kinds)?;
    Ok(reusable)
}

fn text_statement<'a>(text: &'a str, values: &'a [Option<Cow<'a, [u8]>>]) -> Statement<'a> {
    Statement { params: Params { format: Format::Text, values }, results: Format::Text, ..Statement::new(text) }
}

/// Learns of these types whether they are arrays.
async fn look_up<S>(client: &mut Client<S>, unknown: &[Oid], kinds: &ValueKinds) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let oids: Vec<_> = unknown.iter().map(Oid::to_string).collect();
    let oids = [Some(Cow::Owned(format!("{{{}}}", oids.join(",")).into_bytes()))];
    let mut execution =
        client.execute(&text_statement(LOOK_UP_ARRAYS, &oids)).await.map_err(|error| Fault::from_statement(&error))?;
    let mut arrays = Vec::new();
    while let Some(event) = execution.next().await.map_err(|error| Fault::from_statement(&error))? {
        if let Event::Row(row) = event {
            arrays.push(array_type(&row).ok_or_else(Fault::unreadable_response)?);
        }
    }
    for oid in unknown {
        let array = arrays.iter().find(|(array, _)| array == oid);
        kinds.insert(*oid, array.map_or(ValueKind::Scalar(Scalar::Text), |(_, kind)| *kind));
    }
    Ok(())
}

fn array_type(row: &DataRow) -> Option<(Oid, ValueKind)> {
    let mut values = row.values().map(|value| value.and_then(|value| str::from_utf8(value).ok()));
    let oid = values.next()??.parse().ok()?;
    let element = values.next()??.parse().ok()?;
    let delimiter = *values.next()??.as_bytes().first()?;
    Some((oid, ValueKind::array(element, delimiter)))
}

/// One result, written while its rows arrive; where it has types that have to be looked up, its rows are kept until the
/// session can be asked.
struct ResultWriter<'a> {
    mode: Mode,
    out: &'a mut Output,
    state: State,
}

enum State {
    NoColumns,
    Rows(RowWriter),
    Kept { columns: Arc<[Column]>, rows: Vec<DataRow>, bytes: usize },
}

impl ResultWriter<'_> {
    fn columns(&mut self, columns: Arc<[Column]>, kinds: &ValueKinds) -> Result<(), Fault> {
        self.out.begin_result(&columns)?;
        let known = columns.iter().map(|column| kinds.get(column.type_oid)).collect::<Option<Vec<_>>>();
        self.state = match (self.mode.raw, known) {
            (true, _) => State::Rows(RowWriter::new(&columns, self.mode, Vec::new())),
            (false, Some(kinds)) => State::Rows(RowWriter::new(&columns, self.mode, kinds)),
            (false, None) => State::Kept { columns, rows: Vec::new(), bytes: 0 },
        };
        Ok(())
    }

    fn row(&mut self, row: DataRow) -> Result<(), Fault> {
        match &mut self.state {
            State::NoColumns => Err(Fault::unreadable_response()),
            State::Rows(writer) => writer.write(self.out, &row),
            State::Kept { rows, bytes, .. } => {
                *bytes = bytes.saturating_add(row.as_bytes().len()).saturating_add(size_of::<DataRow>());
                self.out.reserve(*bytes)?;
                rows.push(row);
                Ok(())
            }
        }
    }

    /// The types that have to be looked up before the kept rows can be written.
    fn unknown_types(&self, kinds: &ValueKinds) -> Option<Vec<Oid>> {
        match &self.state {
            State::Kept { columns, .. } => {
                let oids = columns.iter().map(|column| column.type_oid);
                Some(oids.filter(|oid| kinds.get(*oid).is_none()).collect())
            }
            _ => None,
        }
    }

    fn finish(self, tag: &str, kinds: &ValueKinds) -> Result<(), Fault> {
        match self.state {
            State::NoColumns => self.out.begin_result(&[])?,
            State::Rows(_) => {}
            State::Kept { columns, rows, .. } => {
                let text = ValueKind::Scalar(Scalar::Text);
                let kinds = columns.iter().map(|column| kinds.get(column.type_oid).unwrap_or(text)).collect();
                let mut writer = RowWriter::new(&columns, self.mode, kinds);
                for row in rows {
                    writer.write(self.out, &row)?;
                }
            }
        }
        self.out.end_result(tag, self.mode)
    }
}
