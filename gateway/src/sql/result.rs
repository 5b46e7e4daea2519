use std::sync::Arc;

use pgferry::{
    Outcome,
    wire::{Column, Event, Execution},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    output::{Mode, Output, RowWriter},
    value_kind::{Scalar, ValueKind, ValueKinds},
};

/// One result, written while its rows arrive.
pub(super) struct ResultWriter<'a> {
    mode: Mode,
    out: &'a mut Output,
    rows: Option<RowWriter>,
}

impl<'a> ResultWriter<'a> {
    pub(super) fn new(mode: Mode, out: &'a mut Output) -> Self {
        Self { mode, out, rows: None }
    }

    /// Reads one statement's result of a flight, up to the tag that it ends with, and writes it.
    pub(super) async fn write<S>(mut self, flight: &mut Execution<'_, S>, kinds: &ValueKinds) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let tag = loop {
            match flight.next_unless_copied().await {
                Ok(Some(Event::Columns(columns))) => self.columns(&columns, kinds)?,
                Ok(Some(Event::Row(row))) => {
                    let rows = self.rows.as_mut().ok_or_else(Fault::unreadable_response)?;
                    rows.write(self.out, &row)?;
                    self.out.send().await?;
                }
                Ok(Some(Event::Complete(tag))) => break tag,
                Ok(Some(Event::Empty) | None) => break String::new(),
                Err(error) if error.is_refused() => return Err(Fault::copy_refused(&error)),
                // Of a statement that is sent, it is the server's message that is too long.
                Err(error) if error.is_limit() && error.outcome() == Outcome::Unknown => {
                    return Err(Fault::response_too_large(self.out.limit()));
                }
                Err(error) => return Err(Fault::from_statement(&error)),
            }
        };
        if self.rows.is_none() {
            self.out.begin_result(&[])?;
        }
        self.out.end_result(&tag, self.mode)
    }

    fn columns(&mut self, columns: &Arc<[Column]>, kinds: &ValueKinds) -> Result<(), Fault> {
        self.out.begin_result(columns)?;
        // What could not be looked up is text.
        let text = ValueKind::Scalar(Scalar::Text);
        let kind = |column: &Column| kinds.get(column.type_oid).unwrap_or(text);
        let kinds = if self.mode.raw { Vec::new() } else { columns.iter().map(kind).collect() };
        self.rows = Some(RowWriter::new(columns, self.mode, kinds));
        Ok(())
    }
}
