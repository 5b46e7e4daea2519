use std::sync::Arc;

use pgferry::{
    Oid, Outcome,
    wire::{Column, DataRow, Event, Execution},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    output::{Mode, Output, RowWriter},
    value_kind::{Scalar, ValueKind, ValueKinds},
};

const COPY_REFUSED: &str = "COPY cannot be carried over HTTP: connect over a WebSocket to use it";

/// One result, written while its rows arrive; where it has types that have to be looked up, its rows are kept until the
/// session can be asked.
pub(super) struct ResultWriter<'a> {
    mode: Mode,
    out: &'a mut Output,
    state: State,
}

enum State {
    NoColumns,
    Rows(RowWriter),
    Kept { columns: Arc<[Column]>, rows: Vec<DataRow>, bytes: usize },
}

impl<'a> ResultWriter<'a> {
    pub(super) fn new(mode: Mode, out: &'a mut Output) -> Self {
        Self { mode, out, state: State::NoColumns }
    }

    /// Reads one statement's result of a flight, up to the tag that it ends with, and writes it.
    pub(super) async fn read<S>(&mut self, flight: &mut Execution<'_, S>, kinds: &ValueKinds) -> Result<String, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            match flight.next().await {
                Ok(Some(Event::Columns(columns))) => self.columns(columns, kinds)?,
                Ok(Some(Event::Row(row))) => {
                    self.row(row)?;
                    self.out.send().await?;
                }
                Ok(Some(Event::Complete(tag))) => return Ok(tag),
                Ok(Some(Event::Empty) | None) => return Ok(String::new()),
                Err(error) if error.is_refused() => return Err(Fault::bad_request(COPY_REFUSED)),
                // Of a statement that is sent, it is the server's message that is too long.
                Err(error) if error.is_limit() && error.outcome() == Outcome::Unknown => {
                    return Err(Fault::response_too_large(self.out.limit()));
                }
                Err(error) => return Err(Fault::from_statement(&error)),
            }
        }
    }

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
    pub(super) fn unknown_types(&self, kinds: &ValueKinds) -> Option<Vec<Oid>> {
        match &self.state {
            State::Kept { columns, .. } => {
                let oids = columns.iter().map(|column| column.type_oid);
                Some(oids.filter(|oid| kinds.get(*oid).is_none()).collect())
            }
            _ => None,
        }
    }

    pub(super) fn finish(self, tag: &str, kinds: &ValueKinds) -> Result<(), Fault> {
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
