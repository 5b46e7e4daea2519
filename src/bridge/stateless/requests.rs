use std::{io, mem, str, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{connection::Connection, failing::told, step::Step};
use crate::{
    Oid,
    bridge::{
        attend::{attend, cancelled},
        types::Lookup,
    },
    error::Result,
    execute::{Event, Rows, Script, Statement},
    http::BatchOptions,
    wire::{DataRow, Format, server},
};

/// How much of an answer is gathered before it is written, in bytes.
const WRITE: usize = 64 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<'_, S> {
    /// Does what was noted; an error ends it and is told.
    pub(super) async fn run_steps(&mut self) -> io::Result<()> {
        let steps = mem::take(&mut self.steps);
        let mut statements = Vec::new();
        for step in &steps {
            if let Step::Run { statement, .. } = step {
                statements.push(statement.clone());
            }
        }
        self.flushed |= !statements.is_empty();
        let mut rows = None;
        for step in steps {
            let (format, columns) = match step {
                Step::Say(said) => {
                    self.out.extend_from_slice(&said);
                    continue;
                }
                Step::Run { statement, described } => (statement.results, self.columns(described)),
            };
            let mut results = match rows.take() {
                Some(rows) => rows,
                None => match self.start(&statements).await? {
                    Ok(rows) => rows,
                    Err(error) => {
                        self.fail(error).await?;
                        return Ok(());
                    }
                },
            };
            if let Err(error) = self.answer(&mut results, Answer { format, columns, lookup: false }).await? {
                self.fail(error).await?;
                return Ok(());
            }
            rows = Some(results);
        }
        // The response's end, where an error may still be.
        if let Some(mut results) = rows
            && let Err(error) = attend(&mut self.client.local, self.registration, results.next()).await?
        {
            self.fail(error).await?;
        }
        Ok(())
    }

    /// A simple query: its statements are one transaction, and their results are text.
    pub(super) async fn simple_query(&mut self, script: &str) -> io::Result<()> {
        self.run_steps().await?;
        if self.failed {
            return Ok(());
        }
        let lookup = Lookup::recognise(script);
        self.client.types.queried(script);
        if let Some(lookup) = &lookup {
            match self.look_up(lookup).await? {
                Ok(true) => return self.ready().await,
                Ok(false) => {}
                Err(error) => {
                    self.fail(error).await?;
                    return self.ready().await;
                }
            }
        }
        // The unnamed ones end with any simple query (manual, section 55.2.3); but sqlx asks between parsing such a statement and
        // binding to it.
        if lookup.is_none() {
            self.client.statements.remove("");
            self.portals.remove("");
        }
        let script = Script::new(self.session.dialect(), script);
        if script.statements().is_empty() {
            server::empty_query_response(&mut self.out);
        } else if let Err(error) = self.run_script(script.statements(), lookup.is_some()).await? {
            self.fail(script.place(error)).await?;
        }
        self.ready().await
    }

    async fn run_script(&mut self, statements: &[Statement], lookup: bool) -> io::Result<Result<()>> {
        let mut results = match self.start(statements).await? {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        for _ in statements {
            if let Err(error) =
                self.answer(&mut results, Answer { format: Format::Text, columns: Columns::Told, lookup }).await?
            {
                return Ok(Err(error));
            }
        }
        attend(&mut self.client.local, self.registration, results.next()).await.map(|end| end.map(drop))
    }

    pub(super) async fn start(&mut self, statements: &[Statement]) -> io::Result<Result<Rows>> {
        let dialect = self.session.dialect();
        self.started = statements.iter().map(|statement| Arc::clone(&statement.text)).collect();
        self.may_have_written = statements.iter().any(|statement| dialect.may_write(&statement.text));
        self.may_change_types |= statements.iter().any(|statement| dialect.changes_types(&statement.text));
        let session = &self.session;
        let request = async {
            match statements {
                [statement] => session.execute(statement).await,
                several => session.execute_batch(several, BatchOptions::default()).await,
            }
        };
        attend(&mut self.client.local, self.registration, request).await
    }

    /// What becomes of the columns of an execution, which the client had described before it or not.
    fn columns(&self, described: bool) -> Columns {
        match described {
            true => Columns::Asked,
            false if self.client.describes_always => Columns::Known,
            false => Columns::Told,
        }
    }

    /// Passes one statement's result on.
    async fn answer(&mut self, results: &mut Rows, how: Answer) -> io::Result<Result<()>> {
        let mut columns_told = false;
        loop {
            let event = match attend(&mut self.client.local, self.registration, results.next()).await? {
                Ok(event) => event,
                Err(error) => return Ok(Err(error)),
            };
            match event {
                Some(Event::Columns(columns)) => {
                    if how.columns != Columns::Known {
                        let columns = match how.format {
                            Format::Binary => self.understood(columns).await?,
                            Format::Text => Ok(columns),
                        };
                        match columns {
                            Ok(columns) => server::row_description(&mut self.out, &columns, how.format),
                            Err(error) => return Ok(Err(error)),
                        }
                    }
                    columns_told = true;
                }
                Some(Event::Row(row)) => {
                    if how.lookup {
                        self.client.types.note_answer(first_oid(&row));
                    }
                    server::data_row(&mut self.out, &row);
                    if self.out.len() >= WRITE && !self.write_attending().await? {
                        return Ok(Err(cancelled()));
                    }
                }
                Some(ended @ (Event::Complete(_) | Event::Empty)) => {
                    if how.columns == Columns::Asked && !columns_told {
                        server::no_data(&mut self.out);
                    }
                    match ended {
                        Event::Complete(tag) => {
                            server::command_complete(&mut self.out, &tag);
                        }
                        _ => server::empty_query_response(&mut self.out),
                    }
                    return Ok(Ok(()));
                }
                None => return Ok(Err(told("08P01", "the response ended before the statement's result".to_owned()))),
            }
        }
    }
}

/// How a result is passed on.
#[derive(Clone, Copy, Debug)]
struct Answer {
    format: Format,
    columns: Columns,
    /// It answers sqlx's question for types.
    lookup: bool,
}

/// The first value of a row in text, where that is an OID.
fn first_oid(row: &DataRow) -> Option<Oid> {
    str::from_utf8(row.values().next()??).ok()?.parse().ok()
}

/// Whether a result's columns are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Columns {
    /// The client waits to hear of them, even if there are none.
    Asked,
    /// It hears of them now for the first time.
    Told,
    /// It knows them from the statement's description.
    Known,
}
