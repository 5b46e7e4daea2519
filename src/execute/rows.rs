use std::sync::Arc;

use super::{Conversion, Event, Statement};
use crate::{
    codec,
    error::{Error, Outcome, Result},
    http, sql,
    wire::{Column, Format},
};

/// The results of statements sent over HTTP, converted while they arrive.
#[derive(Debug)]
pub struct Rows {
    stream: http::ResultStream,
    /// The statements whose results are still to come, the next one last.
    coming: Vec<Awaited>,
    /// That of the result under way, once it is known to have rows.
    conversion: Option<Conversion>,
    /// An event found out about together with the one before it.
    held: Option<Event>,
}

/// What must be known of a statement to understand its results.
#[derive(Debug)]
pub(super) struct Awaited {
    text: Arc<str>,
    results: Format,
}

impl Awaited {
    pub(super) fn of(statement: &Statement) -> Self {
        Self { text: Arc::clone(&statement.text), results: statement.results }
    }
}

impl Rows {
    pub(super) fn new(
        stream: http::ResultStream,
        statements: impl IntoIterator<Item = Awaited, IntoIter: DoubleEndedIterator>,
    ) -> Self {
        Self { stream, coming: statements.into_iter().rev().collect(), conversion: None, held: None }
    }

    /// Gives the next event, `None` once every statement's result has ended.
    ///
    /// Cancel safe. Dropping `Rows` drops the request, which cancels it on the server.
    ///
    /// # Errors
    ///
    /// Those of [`http::Client`], and a value or a type that has no binary form here: the statement has then run.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        if let Some(event) = self.held.take() {
            return Ok(Some(event));
        }
        loop {
            let Some(event) = self.stream.next().await? else { return Ok(None) };
            match event {
                http::Event::Fields(fields) => {
                    if let Some(event) = self.describe(&fields)? {
                        return Ok(Some(event));
                    }
                }
                http::Event::Row(row) => {
                    let event = self.convert(&row)?;
                    self.stream.recycle(row);
                    return Ok(Some(event));
                }
                http::Event::Complete { command, row_count } => return self.complete(&command, row_count).map(Some),
            }
        }
    }

    fn describe(&mut self, fields: &[http::Field]) -> Result<Option<Event>> {
        // No fields means no rows, but for a SELECT of no columns; its first row tells.
        if fields.is_empty() {
            self.conversion = None;
            return Ok(None);
        }
        self.conversion = Some(match self.awaited()?.results {
            Format::Text => Conversion::text(fields.len())?,
            Format::Binary => Conversion::binary(fields.iter().map(conversion).collect::<Result<Vec<_>>>()?)?,
        });
        Ok(Some(Event::Columns(fields.iter().map(column).collect())))
    }

    fn convert(&mut self, row: &http::RawRow) -> Result<Event> {
        if let Some(conversion) = &mut self.conversion {
            return conversion.convert(row).map(Event::Row);
        }
        // The announcement that `describe` could not make.
        let mut conversion = Conversion::text(0)?;
        self.held = Some(Event::Row(conversion.convert(row)?));
        self.conversion = Some(conversion);
        Ok(Event::Columns(Arc::from([])))
    }

    fn complete(&mut self, command: &str, row_count: Option<u64>) -> Result<Event> {
        self.conversion = None;
        let awaited = self.coming.pop().ok_or_else(too_many)?;
        if command.is_empty() {
            return Ok(Event::Empty);
        }
        Ok(Event::Complete(sql::command_tag(&awaited.text, command, row_count)))
    }

    fn awaited(&self) -> Result<&Awaited> {
        self.coming.last().ok_or_else(too_many)
    }
}

fn column(field: &http::Field) -> Column {
    let http::Field { name, type_oid, table_oid, column_id, type_size, type_modifier } = field.clone();
    Column { name, type_oid, table_oid, column_id, type_size, type_modifier }
}

fn conversion(field: &http::Field) -> Result<codec::Type> {
    codec::Type::builtin(field.type_oid).ok_or_else(|| {
        Error::refused(format!(
            "column \"{}\" is of the type with OID {}, which pgferry cannot convert over HTTP, though the statement has run: cast it to text in the statement, or use \
             transport=websocket",
            field.name, field.type_oid
        ))
        // The refusal comes with the results, so the statement has run.
        .with_outcome(Outcome::Unknown)
    })
}

fn too_many() -> Error {
    broken("more results came than statements were sent".into())
}

fn broken(message: String) -> Error {
    Error::protocol(format!("the response over HTTP makes no sense: {message}"), Outcome::Unknown)
}
